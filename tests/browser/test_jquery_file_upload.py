"""jQuery-File-Upload beyond the matrix: its options, its errors, and other origins."""

from __future__ import annotations

import filecmp
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.client import CHUNK, ROOT
from tests.browser.clients.jquery_file_upload import CLIENTS
from tests.browser.faults import Request
from tests.browser.proxy import Proxy
from tests.browser.site import AppServer, Site, Sites
from tests.browser.trial import make_file
from tests.support.server import Server
from tests.support.tabs import Browser

CLIENT = CLIENTS[0]
SIZE = 2 * CHUNK + 1

DONE, FAILED, BUTTON = "[data-state=done]", "[data-state=failed]", "[data-state=failed] button"

Open = Callable[..., Page]


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites.of(CLIENT)


@pytest.fixture
def tab(site: Site, browser: Browser) -> Page:
    """The example page, open in a tab of a new visitor."""
    page = browser.new_page()
    CLIENT.open(page, site.url)
    return page


def option(page: Page, **options: object) -> None:
    """Set options of the plugin, as a page would."""
    page.evaluate("options => $('#upload').fileupload('option', options)", options)


def stores(site: Site, files: list[Path], page: Page) -> None:
    """Check that files become done, and are stored as they are."""
    before = site.stored()
    CLIENT.begin(page, files)
    expect(page.locator(DONE)).to_have_count(len(files), timeout=60_000)
    new = site.stored() - before
    for file in files:
        assert any(filecmp.cmp(file, path, shallow=False) for path in new), file
    assert len(new) == len(files)


def shows(page: Page, text: str) -> None:
    """Check that an upload has failed with a message."""
    expect(page.locator(FAILED)).to_contain_text(text, timeout=60_000)


# What the plugin can be told


def test_several_files_at_once(site: Site, tab: Page, tmp_path: Path) -> None:
    sizes = [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK]
    stores(site, [make_file(tmp_path / f"{size}.bin", size) for size in sizes], tab)


def test_several_files_all_go_on_after_a_reload(site: Site, tab: Page, tmp_path: Path) -> None:
    """A visitor is one visitor, though all the first chunks were sent at once."""
    files = [make_file(tmp_path / f"{number}.bin", SIZE) for number in range(4)]
    faults = [site.proxy.hold(number, of=second_chunk) for number in range(4)]
    CLIENT.begin(tab, files)
    for fault in faults:
        fault.wait()
    CLIENT.open(tab, site.url)
    sent = len(site.proxy.chunks)
    stores(site, files, tab)
    assert not [chunk for chunk in site.proxy.chunks[sent:] if position(chunk) == 0]


def second_chunk(request: Request) -> bool:
    return request.is_chunk and position(request) == CHUNK


def position(request: Request) -> int:
    """Return where a chunk begins."""
    return int(request.headers.get("content-range", "bytes 0-").split()[1].partition("-")[0])


@pytest.mark.parametrize("name", ["file", "files[]"])
def test_the_inputs_name_is_the_fields(site: Site, tab: Page, tmp_path: Path, name: str) -> None:
    tab.evaluate("name => $('input[type=file]').prop('name', name)", name)
    stores(site, [make_file(tmp_path / "file.bin", SIZE)], tab)


def test_several_param_names(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    client = replace(CLIENT, environment={"CHUNKED_UPLOAD_FIELD_NAME": "photo,document"})
    site = sites.of(client)
    for name in ("photo", "document"):
        page = browser.new_page()
        client.open(page, site.url)
        option(page, paramName=[name])
        stores(site, [make_file(tmp_path / f"{name}.bin", SIZE)], page)


def test_the_next_chunk_begins_where_the_reply_says(site: Site, tab: Page, tmp_path: Path) -> None:
    """``Range`` in the reply decides, not what the client believes to have sent."""
    tab.evaluate("$('#upload').on('fileuploadchunksend', (event, data) => { data.chunkSize = 7 })")
    stores(site, [make_file(tmp_path / "file.bin", SIZE)], tab)
    assert [position(chunk) for chunk in site.proxy.chunks] == [0, CHUNK, 2 * CHUNK]


def test_one_request_with_several_files_is_refused_in_words(
    site: Site, tab: Page, tmp_path: Path
) -> None:
    option(tab, singleFileUploads=False)
    CLIENT.begin(tab, [make_file(tmp_path / f"{number}.bin", 1) for number in range(2)])
    shows(tab, "Only one file can be submitted in one request")
    assert not site.unfinished() & set(site.server.directory.rglob("1.bin"))


# When something is wrong


def test_a_refusal_is_shown_at_once(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    client = replace(CLIENT, environment={"CHUNKED_UPLOAD_MAX_BYTES": "100K"})
    site = sites.of(client)
    page = browser.new_page()
    client.open(page, site.url)
    client.begin(page, [make_file(tmp_path / "large.bin", SIZE)])
    shows(page, "Size of file exceeds the limit (102400 bytes)")
    assert len(site.proxy.chunks) == 1


def test_a_user_goes_on_by_hand_when_the_page_has_given_up(
    site: Site, tab: Page, tmp_path: Path
) -> None:
    tab.clock.install()  # its pauses add up to half a minute
    file = make_file(tmp_path / "file.bin", SIZE)
    before = site.stored()
    cuts = [site.proxy.cut(number) for number in range(1, 12)]
    CLIENT.begin(tab, [file])
    for number, cut in enumerate(cuts[:-1], start=1):
        cut.wait()
        expect(tab.locator("li")).to_contain_text(f"trying again ({number})", timeout=60_000)
        tab.clock.run_for(10_000)
    shows(tab, "The connection broke")
    sent = len(site.proxy.chunks)
    tab.click(BUTTON)
    expect(tab.locator(DONE)).to_have_count(1, timeout=60_000)
    assert [position(chunk) for chunk in site.proxy.chunks[sent:]] == [CHUNK, 2 * CHUNK]
    [stored] = site.stored() - before
    assert filecmp.cmp(file, stored, shallow=False)


def test_another_file_of_the_same_name_and_size_is_noticed(
    site: Site, tab: Page, tmp_path: Path
) -> None:
    before = site.stored()
    fault = site.proxy.hold(1)
    CLIENT.begin(tab, [make_file(tmp_path / "file.bin", SIZE)])
    fault.wait()
    CLIENT.open(tab, site.url)
    other = make_file(tmp_path / "file.bin", SIZE)
    CLIENT.begin(tab, [other])
    shows(tab, "md5 checksum does not match")
    assert site.stored() == before
    tab.click(BUTTON)
    expect(tab.locator(DONE)).to_have_count(1, timeout=60_000)
    [stored] = site.stored() - before
    assert filecmp.cmp(other, stored, shallow=False)


@pytest.mark.parametrize("kind", ["cut", "lose reply"])
def test_the_browsers_own_repeat_on_a_kept_connection(
    site: Site, tab: Page, tmp_path: Path, kind: str
) -> None:
    """Chromium sends a chunk again by itself, behind the page's back."""
    site.proxy.keep_alive = True
    fault = site.proxy.cut(1) if kind == "cut" else site.proxy.lose_reply(1)
    stores(site, [make_file(tmp_path / "file.bin", SIZE)], tab)
    fault.wait()
    again = [chunk for chunk in site.proxy.chunks if position(chunk) == CHUNK]
    # On a busy machine the server may get to the cut request last, which then takes over from its
    # repeat, for all that anybody can tell; the page sends the chunk once more.
    cut = ([None, 200], [None, 400, 200])
    assert [chunk.status for chunk in again] in (cut if kind == "cut" else ([200, 400],))


def test_a_csrf_token_is_a_header(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    client = replace(CLIENT, environment={"CHUNKED_UPLOAD_CSRF": "true"})
    site = sites.of(client)
    page = browser.new_page()
    client.open(page, site.url)
    file = make_file(tmp_path / "file.bin", SIZE)
    client.begin(page, [file])
    shows(page, "The CSRF token is missing or wrong")
    client.open(page, site.url)
    page.evaluate(
        """$.getJSON("/uploads/csrf-token").then((answer) =>
            $.ajaxSetup({ headers: { "X-CSRFToken": answer.csrf_token } }))"""
    )
    cut = site.proxy.cut(1)
    stores(site, [file], page)
    cut.wait()


# Another origin


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A server whose pages have another origin, which it was told; and that origin."""
    (tmp_path / "server").mkdir()
    with Proxy(0) as pages:
        setting = {"CHUNKED_UPLOAD_CORS_ORIGINS": pages.url}
        with Site(Server(tmp_path / "server", setting)) as site:
            endpoint = {"endpoint": f"{site.url}/uploads/"}
            site.publish(replace(CLIENT, attributes=endpoint))
            pages.files = site.proxy.files
            yield site, pages.url


@pytest.mark.parametrize("multipart", [True, False])
def test_another_origin(
    far: tuple[Site, str], browser: Browser, tmp_path: Path, multipart: bool
) -> None:
    site, origin = far
    page = browser.new_page()
    CLIENT.open(page, origin)
    page.evaluate("$.ajaxSetup({ xhrFields: { withCredentials: true } })")
    option(page, multipart=multipart)
    file = make_file(tmp_path / "grüße.bin", SIZE)
    cut, lost = site.proxy.cut(1), site.proxy.lose_reply(2)
    stores(site, [file], page)
    cut.wait()
    lost.wait()
    held = site.proxy.hold(1)
    other = make_file(tmp_path / "other.bin", SIZE)
    CLIENT.begin(page, [other])
    held.wait()
    CLIENT.open(page, origin)
    page.evaluate("$.ajaxSetup({ xhrFields: { withCredentials: true } })")
    option(page, multipart=multipart)
    sent = len(site.proxy.chunks)
    stores(site, [other], page)
    assert [position(chunk) for chunk in site.proxy.chunks[sent:]] == [CHUNK, 2 * CHUNK]


def test_an_origin_that_was_not_named_gets_nothing(
    far: tuple[Site, str], browser: Browser, tmp_path: Path
) -> None:
    site, _ = far
    with Proxy(0) as stranger:
        stranger.files = site.proxy.files
        page = browser.new_page()
        CLIENT.open(page, stranger.url)
        page.clock.install()
        CLIENT.begin(page, [make_file(tmp_path / "file.bin", SIZE)])
        while not page.locator(FAILED).count():
            page.clock.run_for(10_000)
    shows(page, "The connection broke")
    assert site.proxy.chunks == []


# A page that was written for django-chunked-upload


@pytest.fixture
def ported_demo(tmp_path: Path) -> Iterator[Site]:
    """The app of docs/porting.md, and a page as its users have it."""
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "demo.py").write_text(code)
    (tmp_path / "server").mkdir()
    page = (ROOT / "tests" / "browser" / "ported_demo.html").read_bytes()
    with Site(AppServer(tmp_path / "server", tmp_path / "demo.py", {})) as site:
        site.publish(CLIENT)
        of_npm = site.proxy.files
        site.proxy.files = lambda path: page if path == "/demo.html" else of_npm(path)
        yield site


def test_a_page_for_django_chunked_upload_works_as_it_is(
    ported_demo: Site, browser: Browser, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(f"{ported_demo.url}/demo.html")
    for size in (0, 1, CHUNK, SIZE):
        before = ported_demo.stored()
        file = make_file(tmp_path / "file.bin", size)
        page.set_input_files("#chunked_upload", file)
        said = f"You successfully uploaded 'file.bin' ({size} bytes)!"
        expect(page.locator("#messages")).to_have_text(said, timeout=60_000)
        [stored] = ported_demo.stored() - before
        assert filecmp.cmp(file, stored, shallow=False)


# The back end of examples/, ported from django-chunked-upload, and its demo page


def test_the_ported_demo_of_the_examples_uploads_and_shows_what_is_refused(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    example = ROOT / "examples" / "django_chunked_upload_app.py"
    server = AppServer(tmp_path / "server", example, {"FLASK_SCRIPTS": "/node_modules"})
    with Site(server) as site:
        site.publish(CLIENT)
        page = browser.new_page()
        page.goto(site.url)
        file = make_file(tmp_path / "file.bin", 250_000)
        page.set_input_files("#chunked_upload", file)
        messages = page.locator("#messages p")
        said = "You successfully uploaded 'file.bin' (250000 bytes)!"
        expect(messages.last).to_have_text(said, timeout=60_000)
        assert messages.count() == 4  # three chunks, and the completion
        [stored] = site.stored()
        assert filecmp.cmp(file, stored, shallow=False)
        page.set_input_files("#chunked_upload", make_file(tmp_path / "virus.exe", 10))
        expect(messages).to_have_text("No programs, please")
        page.goto(f"{site.url}/documents")
        assert json.loads(page.inner_text("body")) == [{"name": "file.bin", "size": 250_000}]
