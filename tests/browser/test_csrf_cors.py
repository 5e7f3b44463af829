"""Pages of two origins, cookies and tokens between them: what browsers let through, and what not.

Two ports are two origins of one site; 127.0.0.1 and localhost are two sites, between which browsers
send only cookies that say ``SameSite=None``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.proxy import Proxy
from tests.browser.site import AppServer, Site
from tests.browser.trial import make_file
from tests.browser.zones import CHUNK, ROOT, bytes_of, need_dropzone
from tests.support.missing import skip_without
from tests.support.server import Server
from tests.support.tabs import Browser

#: Uploads as a page of another origin does, with what it needs to go on; returns what it could see.
UPLOAD = """async ({endpoint, credentials, token}) => {
    const seen = { statuses: [] };
    const send = async (path, options) => {
        const headers = { ...options.headers, ...(token && { "X-CSRFToken": token }) };
        const answer = await fetch(endpoint + path, { credentials, ...options, headers });
        seen.statuses.push(answer.status);
        for (const name of ["Range", "Upload-Offset", "Upload-Length"]) {
            if (answer.headers.has(name)) seen[name] = answer.headers.get(name);
        }
        return answer.status === 204 ? null : answer.json();
    };
    if (token === "ask") token = (await send("csrf-token", {})).csrf_token;
    const part = (range, body) => ({
        body,
        headers: { "Content-Range": range, "Content-Disposition": 'attachment; filename="a.bin"' },
    });
    const first = await send("", { method: "POST", ...part("bytes 0-2/5", new Blob(["hel"])) });
    const { upload_id } = first;
    if (!upload_id) return { ...seen, detail: first.detail };
    const moved = await send(upload_id, { method: "PUT", ...part("bytes 4-4/5", "o") });
    seen.offset = moved.offset;
    await send(upload_id, { method: "PUT", ...part("bytes 3-4/5", "lo") });
    const body = new URLSearchParams({ upload_id, md5: "5d41402abc4b2a76b9719d911017c592" });
    seen.md5 = (await send("complete", { method: "POST", body })).md5;
    seen.listed = (await send("", {})).uploads.length;
    await send(upload_id, { method: "DELETE" });
    seen.detail = (await send(upload_id, {})).detail;
    return seen;
}"""

#: A form of another site, sent with the victim's cookies; then the page asks for the answer.
FORGE = """async (endpoint) => {
    const body = new FormData();
    body.append("file", new Blob(["evil"]), "evil.bin");
    try {
        const answer = await fetch(endpoint, { method: "POST", body, credentials: "include" });
        return answer.status;
    } catch (error) {
        return error.name;
    }
}"""

PAGE = {"/page.html": b"<!doctype html><title>elsewhere</title>"}

#: What a page sees to which nothing is barred.
ALL: dict[str, Any] = {
    "statuses": [200, 400, 200, 200, 200, 204, 404],
    "Range": "bytes=0-4",
    "Upload-Offset": "5",
    "Upload-Length": "5",
    "offset": 3,
    "md5": "5d41402abc4b2a76b9719d911017c592",
    "listed": 1,
    "detail": "Upload not found",
}


@pytest.fixture(scope="module")
def pages() -> Iterator[Proxy]:
    """A server of pages, and of nothing else."""
    with Proxy(0) as running:
        running.files = PAGE.get
        yield running


@pytest.fixture(scope="module")
def service(pages: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service, which lets pages of one other origin in and asks for CSRF tokens."""
    environment = {"CHUNKED_UPLOAD_CORS_ORIGINS": pages.url, "CHUNKED_UPLOAD_CSRF": "1"}
    with Site(Server(tmp_path_factory.mktemp("cors"), environment)) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser) -> Callable[[str], Page]:
    context = browser.new_context()

    def open_page(url: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        return page

    return open_page


def upload(page: Page, service: Site, **options: Any) -> Any:
    endpoint = f"{service.url}/uploads/"
    return page.evaluate(UPLOAD, {"endpoint": endpoint, "credentials": "include", **options})


def test_a_page_of_the_named_origin_uses_every_request(
    open_page: Callable[[str], Page], pages: Proxy, service: Site
) -> None:
    seen = upload(open_page(pages.url + "/page.html"), service, token="ask")
    assert seen == ALL | {"statuses": [200, *ALL["statuses"]]}  # the token's first


def test_a_page_of_its_own_origin_does_too(open_page: Callable[[str], Page], service: Site) -> None:
    seen = upload(open_page(f"{service.url}/healthz"), service, token="ask")
    assert seen == ALL | {"statuses": [200, *ALL["statuses"]]}


def test_without_a_token_it_reads_why(
    open_page: Callable[[str], Page], pages: Proxy, service: Site
) -> None:
    seen = upload(open_page(pages.url + "/page.html"), service)
    assert seen == {"statuses": [400], "detail": "The CSRF token is missing or wrong"}


def test_another_origin_reads_nothing_and_forges_nothing(
    open_page: Callable[[str], Page], service: Site
) -> None:
    open_page(f"{service.url}/uploads/csrf-token")  # the victim has a session
    before = service.stored(), service.unfinished()
    with Proxy(0) as evil:
        evil.files = PAGE.get
        page = open_page(evil.url + "/page.html")
        assert page.evaluate(FORGE, f"{service.url}/uploads/") == "TypeError"
        with pytest.raises(Exception, match="Failed to fetch"):
            upload(page, service, token="ask")
    assert (service.stored(), service.unfinished()) == before


def test_between_unrelated_sites_a_lax_cookie_stays_at_home(
    open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    """So that there is no session for a token, as the documentation says."""
    if socket.gethostbyname("localhost") != "127.0.0.1":
        skip_without("localhost as 127.0.0.1", install="a line in /etc/hosts")
    with Proxy(0) as pages:
        pages.files = PAGE.get
        other = pages.url.replace("127.0.0.1", "localhost")
        environment = {"CHUNKED_UPLOAD_CORS_ORIGINS": other, "CHUNKED_UPLOAD_CSRF": "1"}
        with Site(Server(tmp_path, environment)) as service:
            seen = upload(open_page(other + "/page.html"), service, token="ask")
    assert seen["statuses"] == [200, 400]
    assert seen["detail"] == "The CSRF token is missing or wrong"


def test_a_zone_whose_uploads_go_to_another_origin(browser: Browser, tmp_path: Path) -> None:
    """The template helper's upload_action: pages by one app, files to another server."""
    need_dropzone()
    (tmp_path / "service").mkdir()
    (tmp_path / "app").mkdir()
    service = Server(tmp_path / "service", {"CHUNKED_UPLOAD_CSRF": "1"})
    options = {"upload_action": f"{service.url}/uploads/", "chunk_size": CHUNK}
    environment = {"FLASK_CHUNKED_UPLOAD_DROPZONE": json.dumps(options)}
    app = AppServer(tmp_path / "app", ROOT / "examples" / "dropzone_app.py", environment)
    service.environment["CHUNKED_UPLOAD_CORS_ORIGINS"] = app.url
    file = make_file(tmp_path / "file.bin", 2 * CHUNK + 1)
    with app, Site(service) as site:
        page = browser.new_context(bypass_csp=True).new_page()  # the example's own allows itself
        page.set_default_timeout(60_000)
        page.goto(app.url)
        page.set_input_files(".dz-hidden-input", file)
        page.locator(".dz-success").wait_for()
        assert bytes_of(site.stored()) == [file.read_bytes()]
        with page.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
            page.click("text=Remove file")
        assert gone.value.status == 204
        assert site.stored() == set()
