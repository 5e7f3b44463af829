"""The client library: an upload goes on after a reload, in another tab or browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.library import CHUNK, LibraryPage, Network
from tests.browser.trial import make_file
from tests.support.tabs import Browser

Open = Callable[..., LibraryPage]


@pytest.fixture
def begun(library: Open, network: Network, tmp_path: Path) -> tuple[LibraryPage, Path]:
    """A tab that was reloaded while the third of four chunks was on its way, and the file."""
    page = library()
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    leave_in_the_middle(page, network, file)
    return page, file


def leave_in_the_middle(page: LibraryPage, network: Network, file: Path, chunk: int = 2) -> None:
    """Begin an upload and reload the page while a chunk is on its way."""
    fault = network.proxy.hold(chunk)
    page.pick(file)
    fault.wait()
    page.open()
    fault.release()
    held = network.proxy.chunks[-1]
    network.proxy.wait(lambda proxy: held.status is not None)
    network.proxy.clear()


def change(file: Path, at: int) -> None:
    """Change one byte, which no sample of a fingerprint sees unless it is among the first."""
    with file.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ 1]))


def test_picked_again_after_a_reload_it_goes_on(
    begun: tuple[LibraryPage, Path], network: Network
) -> None:
    page, file = begun
    [known] = page.evaluate("() => uploader.remembered()")
    assert (known["name"], known["size"]) == ("file.bin", 4 * CHUNK)
    page.pick(file)
    seen = page.done()
    assert seen["uploadId"] == known["uploadId"]
    assert [notice["code"] for notice in seen["notices"]] == ["resumed"]
    assert seen["notices"][0]["data"]["offset"] >= 2 * CHUNK
    assert network.sent <= 2 * CHUNK
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert page.evaluate("() => uploader.remembered()") == []


def another_browser(page: LibraryPage, network: Network, browser: Browser) -> LibraryPage:
    """Return a tab in another browser of the same caller."""
    another = browser.new_context()
    another.add_cookies(
        [
            {"name": cookie["name"], "value": cookie["value"], "url": network.proxy.url}
            for cookie in page.page.context.cookies()
        ]
    )
    return LibraryPage(another, network.proxy)


def test_another_browser_finds_the_file_behind_a_newer_one_of_that_name(
    begun: tuple[LibraryPage, Path], network: Network, browser: Browser, tmp_path: Path
) -> None:
    """A phone calls every photo image.jpg."""
    page, file = begun
    (tmp_path / "other").mkdir()
    other = make_file(tmp_path / "other" / "file.bin", 5 * CHUNK)
    leave_in_the_middle(page, network, other)
    there = another_browser(page, network, browser)
    there.pick(file)
    assert [notice["code"] for notice in there.done()["notices"]] == ["resumed"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


def test_another_browser_of_the_same_caller_goes_on(
    begun: tuple[LibraryPage, Path], network: Network, browser: Browser
) -> None:
    page, file = begun
    there = another_browser(page, network, browser)
    assert there.evaluate("() => uploader.remembered()") == []
    there.pick(file)
    assert [notice["code"] for notice in there.done()["notices"]] == ["resumed"]
    assert network.sent <= 2 * CHUNK
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


def test_another_file_of_that_name_starts_again_and_leaves_the_first_alone(
    begun: tuple[LibraryPage, Path], network: Network, tmp_path: Path
) -> None:
    page, file = begun
    (tmp_path / "other").mkdir()
    other = make_file(tmp_path / "other" / "file.bin", 4 * CHUNK)
    page.pick(other)
    assert [notice["code"] for notice in page.done()["notices"]] == ["different-file"]
    page.pick(file)
    assert [notice["code"] for notice in page.done(1)["notices"]] == ["resumed"]
    wanted = {file.read_bytes(), other.read_bytes()}
    assert {path.read_bytes() for path in network.stored} == wanted


def test_a_file_changed_between_its_samples_is_found_out_by_its_md5(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    file = make_file(tmp_path / "file.bin", 8 * CHUNK)
    leave_in_the_middle(page, network, file, chunk=6)
    change(file, 20_000)
    page.pick(file)
    codes = [notice["code"] for notice in page.done()["notices"]]
    assert codes == ["resumed", "different-file"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert network.unfinished == []


def test_a_change_in_a_long_beginning_is_found_out_at_once(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """The worker knows the MD5 of what it had read before, and need not come to the end."""
    page = library(chunkSize=3 * 2**20)
    file = make_file(tmp_path / "file.bin", 19 * 2**20)
    fault = network.proxy.hold(5)
    page.pick(file)
    fault.wait()
    page.wait_for_checkpoint("md5")
    page.open()
    fault.release()
    change(file, 40_000)
    rest = network.proxy.hold()  # the upload cannot end before it is found out
    page.pick(file)
    page.page.wait_for_function("notes[0].notices.some(({ code }) => code === 'different-file')")
    rest.release()
    page.done()
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


def test_an_expired_upload_starts_again_and_says_so(
    begun: tuple[LibraryPage, Path], network: Network
) -> None:
    page, file = begun
    [known] = page.evaluate("() => uploader.remembered()")
    network.expire(known["uploadId"])
    page.pick(file)
    seen = page.done()
    assert [notice["code"] for notice in seen["notices"]] == ["expired"]
    assert seen["uploadId"] != known["uploadId"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


@pytest.mark.parametrize("when", ["expired", "missing"])
def test_so_does_one_that_is_lost_in_the_middle(
    library: Open, network: Network, tmp_path: Path, when: str
) -> None:
    page = library(retryDelays=[600_000])
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    network.proxy.cut(1)
    page.pick(file)
    page.until("waiting: unreachable")
    upload_id = page.look()["uploadId"]
    if when == "expired":
        network.expire(upload_id)
    else:
        page.evaluate("id => uploader.remove(id)", upload_id)
    page.call("resume")
    seen = page.done()
    assert [notice["code"] for notice in seen["notices"]] == [when]
    assert seen["result"]["upload_id"] == seen["uploadId"] != upload_id
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


def test_a_remembered_file_is_opened_by_its_handle(library: Open, network: Network) -> None:
    """With a handle of the origin's own file system, which asks nobody for permission."""
    page = library()
    fault = network.proxy.hold(2)
    page.evaluate(
        """async (size) => {
            const folder = await navigator.storage.getDirectory();
            const handle = await folder.getFileHandle("notes.txt", { create: true });
            const stream = await handle.createWritable();
            await stream.write("x".repeat(size));
            await stream.close();
            follow(uploader.add(await handle.getFile(), { handle }));
        }""",
        4 * CHUNK,
    )
    fault.wait()
    page.open()
    fault.release()
    page.evaluate(
        """async () => {
            const [known] = await uploader.remembered();
            follow(await uploader.reopen(known));
        }"""
    )
    assert [notice["code"] for notice in page.done()["notices"]] == ["resumed"]
    assert [path.read_bytes() for path in network.stored] == [b"x" * 4 * CHUNK]


def test_what_is_forgotten_here_is_still_found_on_the_server(
    begun: tuple[LibraryPage, Path], network: Network
) -> None:
    page, file = begun
    page.evaluate("async () => uploader.forget((await uploader.remembered())[0])")
    assert page.evaluate("() => uploader.remembered()") == []
    page.pick(file)
    assert [notice["code"] for notice in page.done()["notices"]] == ["resumed"]


def test_two_tabs_with_the_same_file_send_it_once(
    library: Open, network: Network, tmp_path: Path
) -> None:
    one, two = library(), library()
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    fault = network.proxy.hold(2)
    one.pick(file)
    fault.wait()
    two.pick(file)
    two.until("waiting: other-tab")
    fault.release()
    first, second = one.done(), two.done()
    assert [notice["code"] for notice in second["notices"]] == ["elsewhere"]
    assert first["result"] == second["result"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert len(network.proxy.chunks) == 4


def test_a_copy_under_another_name_is_stored_as_well(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    files = [make_file(tmp_path / "one.bin", CHUNK + 1), tmp_path / "two.bin"]
    files[1].write_bytes(files[0].read_bytes())
    page.pick(*files)
    results = [page.done(at)["result"] for at in range(2)]
    assert [result["filename"] for result in results] == ["one.bin", "two.bin"]
    assert [path.read_bytes() for path in network.stored] == [files[0].read_bytes()] * 2


def test_a_file_much_like_one_that_another_tab_sends_is_stored_as_well(
    library: Open, network: Network, tmp_path: Path
) -> None:
    one, two = library(), library()
    files = [make_file(tmp_path / "disk.img", 8 * CHUNK), tmp_path / "changed" / "disk.img"]
    files[1].parent.mkdir()
    files[1].write_bytes(files[0].read_bytes())
    change(files[1], at=5 * CHUNK)
    fault = network.proxy.hold(2)
    one.pick(files[0])
    fault.wait()
    two.pick(files[1])
    two.until("waiting: other-tab")
    fault.release()
    one.done()
    assert two.done()["notices"] == []
    stored = {path.read_bytes() for path in network.stored}
    assert stored == {file.read_bytes() for file in files}


def test_a_tab_that_is_closed_leaves_its_upload_to_the_other(
    library: Open, network: Network, tmp_path: Path
) -> None:
    one, two = library(), library()
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    fault = network.proxy.hold(2)
    one.pick(file)
    fault.wait()
    two.pick(file)
    two.until("waiting: other-tab")
    one.page.close()
    fault.release()
    assert [notice["code"] for notice in two.done()["notices"]] == ["resumed"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


def test_a_browser_that_keeps_nothing_and_has_no_locks_uploads_all_the_same(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    page.page.add_init_script("""
        Object.defineProperty(navigator, "locks", { value: undefined });
        Object.defineProperty(window, "indexedDB", { get() { throw new Error("no") } });
    """)
    page.open()
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    leave_in_the_middle(page, network, file)
    page.pick(file)
    codes = [notice["code"] for notice in page.done()["notices"]]
    assert codes == ["not-remembered", "resumed"]  # by the server
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    page.pick(make_file(tmp_path / "other.bin", 5))
    assert page.done(1)["notices"] == []  # it is said once


def test_two_tabs_without_locks_both_end_with_the_same_upload(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """Outside of HTTPS and localhost there are none; the server keeps the two apart."""
    tabs = [library(), library()]
    for tab in tabs:
        tab.page.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
        tab.open()
    file = make_file(tmp_path / "file.bin", 6 * CHUNK)
    fault = network.proxy.hold(2)
    tabs[0].pick(file)
    fault.wait()
    so_far = len(network.proxy.chunks)
    tabs[1].pick(file)
    network.proxy.wait(lambda proxy: len(proxy.chunks) > so_far)
    fault.release()
    ids = {tab.done()["result"]["upload_id"] for tab in tabs}
    assert len(ids) == 1
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
