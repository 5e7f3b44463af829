"""The client library: files arrive whole and checked, so many at a time; what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Route

from tests.browser.library import CHUNK, PAGE, LibraryPage, Network
from tests.browser.site import Site
from tests.browser.trial import make_file
from tests.support.server import Server
from tests.support.tabs import Browser

Open = Callable[..., LibraryPage]


def test_a_file_of_any_size_arrives_and_is_checked(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    for at, size in enumerate([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1]):
        before, sent = network.stored, len(network.proxy.chunks)
        file = make_file(tmp_path / "grüße & co.bin", size)
        page.pick(file)
        seen = page.done(at)
        [stored] = set(network.stored) - set(before)
        assert stored.read_bytes() == file.read_bytes()
        md5 = hashlib.md5(file.read_bytes()).hexdigest()
        assert (seen["result"]["md5"], seen["result"]["filename"]) == (md5, "grüße & co.bin")
        assert (seen["offset"], seen["sent"], seen["done"]) == (size, size, 1)
        assert seen["states"] == ["checking", "uploading", "completing", "done"]
        # A file of one request comes with its creation.
        statuses = [request.status for request in network.proxy.chunks[sent:]]
        several = [204] * -(-size // CHUNK)
        assert statuses == (several if size > CHUNK else [201 if size else 200]), size
        assert page.evaluate("() => uploader.remembered()") == []


def test_so_many_at_a_time_and_first_come_first_served(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(simultaneous=2)
    files = [make_file(tmp_path / f"{name}.bin", 2 * CHUNK) for name in "abcde"]
    first = [network.proxy.hold(0), network.proxy.hold(1)]
    page.pick(*files)
    for fault in first:
        fault.wait()
    assert [page.look(at)["state"] for at in range(5)] == ["uploading"] * 2 + ["queued"] * 3
    for fault in first:
        fault.release()
    for at in range(5):
        page.done(at)
    assert {path.read_bytes() for path in network.stored} == {file.read_bytes() for file in files}
    page.page.wait_for_function("idle === 1")


def test_many_files(library: Open, network: Network, tmp_path: Path) -> None:
    page = library()
    files = [make_file(tmp_path / f"{number}.bin", 1000 + number) for number in range(40)]
    page.pick(*files)
    page.page.wait_for_function("idle === 1")
    assert page.evaluate("uploads.map((upload) => upload.state)") == ["done"] * 40
    assert len(network.stored) == 40
    sums = page.evaluate("""() => {
        const said = new Promise((tell) =>
            uploader.addEventListener("progress", ({ detail }) => tell(detail)));
        uploader.dismiss(uploads[0]);
        return said;
    }""")
    assert (sums["uploads"], sums["done"], sums["failed"]) == (39, 39, 0)
    assert sums["sent"] == sums["size"] == sum(file.stat().st_size for file in files[1:])
    assert page.problems == []


def test_progress_never_goes_back_and_ends_at_the_size(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(chunkSize=2**20)
    page.pick(make_file(tmp_path / "file.bin", 5 * 2**20 + 1))
    seen = page.done()
    sent = [progress["sent"] for progress in seen["progress"]]
    assert sent == sorted(sent)
    assert sent[-1] == 5 * 2**20 + 1
    assert all(progress["offset"] <= progress["sent"] for progress in seen["progress"])


def test_what_is_refused_here_never_reaches_the_server(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(accept=".pdf,image/*", refuse=".svg", maxBytes=10)
    names = {"a.txt": 1, "b.PDF": 11, "c.svg": 1, "d.png": 1, "e.pdf": 10}
    page.pick(*(make_file(tmp_path / name, size) for name, size in names.items()))
    assert [page.failed(at)["code"] for at in range(3)] == ["type", "size", "type"]
    assert page.failed(0)["message"] == "Files of this type are not accepted, only: .pdf,image/*."
    page.done(3)
    page.done(4)
    assert len(network.proxy.chunks) == 2


def test_what_the_server_refuses_is_told_in_its_words(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(metadata={f"field {number}": "x" for number in range(200)})
    page.pick(make_file(tmp_path / "file.bin", 10))
    error = page.failed()
    assert (error["code"], error["status"]) == ("refused", 413)
    assert error["detail"].startswith("Form fields exceed the limit")
    assert network.unfinished == []


def test_after_a_refusal_the_next_file_begins(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """One file at a time: each that is refused leaves its place to the next."""
    refusals = {"forbidden.bin": 403, "large.bin": 413, "odd.bin": 415}

    def refuse(route: Route) -> None:
        request = route.request
        name = request.headers.get("content-disposition", "").rpartition("'")[2]
        status = refusals.get(name) if request.method == "POST" else None
        if status is None:
            route.fallback()
        else:
            route.fulfill(status=status, json={"detail": f"No {name}"})

    page = library(simultaneous=1, maxBytes=20)
    page.page.route("**/uploads/", refuse)
    too_large = make_file(tmp_path / "larger.bin", 21)
    refused = [make_file(tmp_path / name, 20) for name in refusals]
    page.pick(*refused, too_large, make_file(tmp_path / "last.bin", 20))
    page.done(4)
    failed = [page.failed(at) for at in range(4)]
    assert [error["status"] for error in failed[:3]] == [403, 413, 415]
    assert [error["code"] for error in failed] == ["refused"] * 3 + ["size"]
    assert [path.read_bytes() for path in network.stored] == [(tmp_path / "last.bin").read_bytes()]
    page.page.wait_for_function("idle === 1")


def test_an_option_that_cannot_work_is_told(library: Open) -> None:
    page = library()
    script = """(options) => {
        try { new ChunkedUploader(options) } catch (error) { return error.message }
    }"""
    for options, complaint in [
        ({"chunkSize": 0}, '"chunkSize" must be a whole number of bytes above 0'),
        ({"simultaneous": "3"}, '"simultaneous" must be a whole number above 0'),
        ({"retryDelays": []}, '"retryDelays" must be an array of milliseconds'),
        ({"endpoint": "http://"}, '"endpoint" must be a URL'),
        ({"chunksize": 1}, 'no option "chunksize"; it has endpoint, chunkSize'),
        ({"metadata": {"md5": "x"}}, '"metadata" must be an object of texts, without upload_id'),
        ({"credentials": "omit"}, 'must be "same-origin" or "include"'),
    ]:
        assert complaint in page.evaluate(script, options)


def test_metadata_is_stored(library: Open, tmp_path: Path) -> None:
    page = library(metadata={"album": "1", "by": "all"})
    page.page.set_input_files("input", [])
    file = make_file(tmp_path / "file.bin", 3)
    page.evaluate("""() => { uploader.addEventListener("added", ({ detail: { upload } }) => {
        upload.metadata = { by: "me" } }) }""")
    page.pick(file)
    metadata = page.done()["result"]["metadata"]
    assert (metadata["album"], metadata["by"]) == ("1", "me")
    assert metadata["fingerprint"].startswith("3-")


def test_a_wrong_md5_is_told_and_a_retry_sends_everything_again(
    library: Open, network: Network, tmp_path: Path
) -> None:
    def spoil(route: Route) -> None:
        fields = parse_qs(route.request.post_data or "")
        wrong = {"upload_id": fields["upload_id"][0], "md5": "0" * 32}
        route.continue_(post_data=urlencode(wrong))

    page = library()
    file = make_file(tmp_path / "file.bin", 2 * CHUNK)
    page.page.route("**/complete", spoil)
    page.pick(file)
    error = page.failed()
    assert (error["code"], error["status"]) == ("checksum", 400)
    first = page.look()["uploadId"]
    page.page.unroute("**/complete")
    page.call("retry")
    assert page.done()["uploadId"] != first
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert network.unfinished == []


def test_a_worker_that_cannot_be_loaded_fails_the_upload_before_a_byte_is_sent(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(workerUrl="/nowhere.js")
    page.pick(make_file(tmp_path / "file.bin", 3))
    assert page.failed()["code"] == "worker"
    assert network.proxy.chunks == []


@pytest.mark.parametrize(
    "blocked",
    [
        "() => { throw new Error('blocked') }",
        "() => setTimeout(() => worker.onerror(new Event('error')))",
    ],
)
def test_where_workers_are_blocked_the_page_computes_the_md5(
    library: Open, network: Network, tmp_path: Path, blocked: str
) -> None:
    """An extension may let the constructor fail, a policy fires an event."""
    page = library()
    page.page.add_init_script(
        f"""window.Worker = function () {{
            const worker = {{ postMessage() {{}}, terminate() {{}} }};
            ({blocked})();
            return worker;
        }}"""
    )
    page.open()
    files = [make_file(tmp_path / f"{name}.bin", 5 * CHUNK) for name in "ab"]
    page.pick(*files)
    for at, file in enumerate(files):
        assert page.done(at)["result"]["md5"] == hashlib.md5(file.read_bytes()).hexdigest()


def test_without_md5_and_resuming_no_worker_is_needed(library: Open, tmp_path: Path) -> None:
    page = library(workerUrl="/nowhere.js", md5=False, resume=False)
    page.pick(make_file(tmp_path / "file.bin", 3))
    error = page.failed()  # this server wants an MD5, and says so
    assert error["detail"] == "Both 'upload_id' and 'md5' are required"


def test_the_policy_that_a_page_needs(library: Open, network: Network, tmp_path: Path) -> None:
    """Scripts, worker and requests of its own origin: no eval, and none for WebAssembly either."""
    own = "script-src 'self' 'nonce-a'; worker-src 'self'; connect-src 'self'"
    policy = f"default-src 'none'; {own}"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'.encode()
    strict = PAGE.replace(b"<title>", meta + b"<title>").replace(b"<script", b'<script nonce="a"')
    page = library()
    network.proxy.files = {"/library.html": strict}.get
    page.open()
    page.pick(make_file(tmp_path / "file.bin", CHUNK + 1))
    page.done()


def test_another_origin_with_csrf_tokens(browser: Browser, tmp_path: Path) -> None:
    """The library asks the service for a token when it is told to have one."""
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", {"CHUNKED_UPLOAD_CSRF": "true"})
    site = Site(server)
    server.environment["CHUNKED_UPLOAD_CORS_ORIGINS"] = site.url
    with site:
        network = Network(site)
        endpoint = f"{server.url}/uploads/"
        page = LibraryPage(
            browser.new_context(), network.proxy, endpoint=endpoint, credentials="include"
        )
        # The library's own files are of the page's origin; its requests are not.
        file = make_file(tmp_path / "file.bin", 2 * CHUNK)
        page.pick(file)
        seen = page.done()
        assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
        assert network.proxy.chunks == []
        page.evaluate("id => uploader.remove(id)", seen["uploadId"])
        assert network.stored == []
        assert page.evaluate("async () => (await uploader.list()).total") == 0


def test_sha256_for_a_server_that_keeps_that_one_alone(browser: Browser, tmp_path: Path) -> None:
    """Also when it is resumed: the first bytes are compared with what the worker had read."""
    (tmp_path / "server").mkdir()
    with Site(Server(tmp_path / "server", {"CHUNKED_UPLOAD_CHECKSUMS": "sha256"})) as site:
        network = Network(site)
        options = {"checksum": "sha256", "chunkSize": 3 * 2**20}
        page = LibraryPage(browser.new_context(), network.proxy, **options)
        file = make_file(tmp_path / "file.bin", 19 * 2**20)
        fault = network.proxy.hold(5)
        page.pick(file)
        fault.wait()
        page.wait_for_checkpoint("sha256")
        page.open()
        fault.release()
        page.pick(file)
        seen = page.done()
        assert [notice["code"] for notice in seen["notices"]] == ["resumed"]
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        assert (seen["result"]["md5"], seen["result"]["sha256"]) == (None, sha256)
        assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
        page.page.route("**/complete", spoil_sha256)
        page.pick(make_file(tmp_path / "other.bin", 3))
        assert page.failed(1)["code"] == "checksum"


def spoil_sha256(route: Route) -> None:
    upload_id = parse_qs(route.request.post_data or "")["upload_id"][0]
    route.continue_(post_data=urlencode({"upload_id": upload_id, "sha256": "0" * 64}))
