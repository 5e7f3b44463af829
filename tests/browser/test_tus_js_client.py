"""What the matrix does not try of tus-js-client, in a page of another origin without CSRF token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.faults import Request
from tests.browser.library import Network
from tests.browser.proxy import Proxy
from tests.browser.site import Site
from tests.support import npm
from tests.support.server import Server
from tests.support.tabs import Browser

CHUNK = 64 * 1024
SIZE = 2 * CHUNK + 1

#: Begins an upload of SIZE bytes; ``ended`` tells how it comes to its end.
PAGE = """<!doctype html>
<title>elsewhere</title>
<script src="/tus.js"></script>
<script>
    const bytes = Uint8Array.from({ length: SIZE }, (_, at) => at % 251);
    const file = new File([bytes], "日本 ü.bin", { lastModified: 1 });
    let upload, ended;

    function prepare(options, source = file) {
        ended = new Promise((resolve) => {
            upload = new tus.Upload(source, {
                chunkSize: CHUNK,
                retryDelays: [0, 50, 100],
                metadata: { filename: file.name },
                onBeforeRequest: (request) => {
                    request.getUnderlyingObject().withCredentials = true;
                },
                onSuccess: () => resolve("done"),
                onError: (error) => resolve(error.message),
                ...options,
            });
        });
    }

    function begin(options, source) {
        prepare(options, source);
        upload.start();
    }
</script>
""".replace("SIZE", str(SIZE)).replace("CHUNK", str(CHUNK))

CONTENT = bytes(at % 251 for at in range(SIZE))


@pytest.fixture(scope="module")
def pages() -> Iterator[Proxy]:
    """A server of the page and the library, and of nothing else."""
    script = npm.package("tus-js-client") / "dist" / "tus.min.js"
    with Proxy(0) as running:
        running.files = {"/page.html": PAGE.encode(), "/tus.js": script.read_bytes()}.get
        yield running


@pytest.fixture(scope="module")
def service(pages: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service, which lets pages of one other origin in and asks for CSRF tokens."""
    environment = {"CHUNKED_UPLOAD_CORS_ORIGINS": pages.url, "CHUNKED_UPLOAD_CSRF": "1"}
    with Site(Server(tmp_path_factory.mktemp("tus"), environment)) as running:
        yield running


@pytest.fixture
def network(service: Site) -> Network:
    return Network(service)


@pytest.fixture
def page(browser: Browser, pages: Proxy) -> Page:
    tab = browser.new_context().new_page()
    tab.set_default_timeout(60_000)
    tab.goto(f"{pages.url}/page.html")
    return tab


Begin = Callable[..., None]


@pytest.fixture
def begin(page: Page, network: Network) -> Begin:
    """Begin an upload with options; ``source`` is what to upload, in JavaScript."""

    def begin(source: str = "file", **options: Any) -> None:
        endpoint = {"endpoint": f"{network.proxy.url}/uploads/tus/"}
        script = f"(options) => void begin(options, {source})"
        page.evaluate(script, {**endpoint, **options})

    return begin


def ended(page: Page) -> str:
    """Wait for the upload's end; return ``done`` or the error."""
    said: str = page.evaluate("ended")
    return said


def assert_stored(network: Network) -> None:
    assert [path.read_bytes() for path in network.stored] == [CONTENT]
    assert network.unfinished == []


def test_a_file_is_stored_under_its_own_name(page: Page, begin: Begin, network: Network) -> None:
    begin()
    assert ended(page) == "done"
    assert_stored(network)
    url = page.evaluate("upload.url")
    assert url.startswith(f"{network.proxy.url}/uploads/tus/")
    state = page.evaluate(
        "(url) => fetch(url, { credentials: 'include' }).then((answer) => answer.json())",
        url.replace("/tus/", "/"),
    )
    assert (state["filename"], state["status"], state["length"]) == ("日本 ü.bin", 2, SIZE)


@pytest.mark.parametrize(
    "options",
    [{"uploadDataDuringCreation": True}, {"overridePatchMethod": True}, {"addRequestId": True}],
    ids=lambda options: "".join(options),
)
def test_an_option(page: Page, begin: Begin, network: Network, options: dict[str, bool]) -> None:
    begin(**options)
    assert ended(page) == "done"
    assert_stored(network)


def test_a_stream_whose_length_is_known_at_its_end(
    page: Page, begin: Begin, network: Network
) -> None:
    network.proxy.cut(1)
    begin("file.stream().getReader()", uploadLengthDeferred=True)
    assert ended(page) == "done"
    assert_stored(network)


def joins(request: Request) -> bool:
    """Whether a request makes one file of partial uploads."""
    return request.headers.get("upload-concat", "").startswith("final")


def test_parts_are_joined_when_the_answer_is_lost_and_the_user_tries_again(
    page: Page, begin: Begin, network: Network
) -> None:
    network.proxy.lose_reply(of=joins)
    begin(parallelUploads=3)
    assert ended(page) != "done"  # the library does not repeat this request by itself
    page.evaluate(
        """() => {
            ended = new Promise((resolve) => {
                upload.options.onSuccess = () => resolve("done");
                upload.options.onError = (error) => resolve(error.message);
            });
            upload.start();
        }"""
    )
    assert ended(page) == "done"
    # It asks for the parts, which are gone, and sends them again: the file is there twice.
    assert {path.read_bytes() for path in network.stored} == {CONTENT}
    assert network.unfinished == []


@pytest.mark.parametrize("parts", [1, 3])
def test_an_upload_that_is_given_up_leaves_nothing(
    page: Page, begin: Begin, network: Network, parts: int
) -> None:
    held = network.proxy.hold(1)
    begin(parallelUploads=parts)
    held.wait()
    page.evaluate("upload.abort(true)")
    network.proxy.wait(lambda proxy: deleted(proxy) == [204] * parts)
    held.finish()
    assert network.unfinished == []
    assert network.stored == []


def deleted(proxy: Proxy) -> list[int | None]:
    """Return the statuses of the requests that delete uploads."""
    return [request.status for request in proxy.requests if request.method == "DELETE"]


def test_an_upload_that_is_paused_continues(page: Page, begin: Begin, network: Network) -> None:
    held = network.proxy.hold(1)
    begin()
    held.wait()
    page.evaluate("upload.abort()")
    page.evaluate("upload.start()")
    assert ended(page) == "done"
    held.finish()
    assert_stored(network)
    offsets = [int(request.headers["upload-offset"]) for request in network.proxy.chunks]
    assert offsets[0] == 0
    assert offsets[2] >= CHUNK  # what had arrived is not sent again


@pytest.mark.parametrize("remove", [True, False])
def test_a_finished_upload_is_forgotten_if_asked(
    page: Page, begin: Begin, network: Network, remove: bool
) -> None:
    begin(removeFingerprintOnSuccess=remove)
    assert ended(page) == "done"
    found = page.evaluate("upload.findPreviousUploads().then((found) => found.length)")
    assert found == (0 if remove else 1)
    page.evaluate(
        """async () => {
            const [previous] = await upload.findPreviousUploads();
            const { endpoint, removeFingerprintOnSuccess } = upload.options;
            prepare({ endpoint, removeFingerprintOnSuccess });
            if (previous) upload.resumeFromPreviousUpload(previous);
            upload.start();
        }"""
    )
    assert ended(page) == "done"
    assert len(network.stored) == (2 if remove else 1)
