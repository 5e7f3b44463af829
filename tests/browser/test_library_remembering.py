"""The client library: files are remembered before their first byte, and found after a reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.library import CHUNK, LibraryPage, Network
from tests.browser.trial import make_file

Open = Callable[..., LibraryPage]

#: What the page remembers, by name and path.
REMEMBERED = """async () => (await uploader.remembered())
    .map(({ name, path, uploadId }) => [path || name, uploadId !== null]).sort()"""

#: Adds files as if they were chosen with their folders; each is `[path, content]`.
ADD_FOLDER = """(files) => {
    for (const [path, content] of files) {
        const file = new File([content], path.split("/").pop(), { lastModified: 1 });
        Object.defineProperty(file, "webkitRelativePath", { value: path });
        follow(uploader.add(file));
    }
}"""


def test_every_file_is_remembered_and_found_when_it_is_chosen_again(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """One is half-way, three are queued; a file that is refused is not remembered."""
    page = library(simultaneous=1, refuse=".tmp")
    files = [make_file(tmp_path / f"{name}.bin", 4 * CHUNK) for name in "abcd"]
    fault = network.proxy.hold(2)
    page.pick(*files, make_file(tmp_path / "e.tmp", 1))
    fault.wait()
    assert page.evaluate(REMEMBERED) == []  # they are in the list
    page.open()
    fault.release()
    names = [["a.bin", True], ["b.bin", False], ["c.bin", False], ["d.bin", False]]
    assert page.evaluate(REMEMBERED) == names
    page.evaluate(
        "async () => uploader.forget((await uploader.remembered())"
        ".find(({ name }) => name === 'd.bin'))"
    )
    again = network.proxy.hold()
    page.pick(*files[:3])
    assert page.evaluate(REMEMBERED) == []  # also while they wait for their turn
    again.wait()
    again.release()
    assert [notice["code"] for notice in page.done(0)["notices"]] == ["resumed"]
    page.done(1)
    page.done(2)
    assert page.evaluate(REMEMBERED) == []
    assert {path.read_bytes() for path in network.stored} == {f.read_bytes() for f in files[:3]}


def test_equal_names_in_other_folders_are_other_files(library: Open, network: Network) -> None:
    page = library(simultaneous=2)
    files = [["x/cover.jpg", "a" * 3 * CHUNK], ["y/cover.jpg", "b" * 3 * CHUNK]]
    held = [network.proxy.hold(2), network.proxy.hold(3)]
    page.evaluate(ADD_FOLDER, files)
    for fault in held:
        fault.wait()
    page.open()
    for fault in held:
        fault.release()
    network.proxy.wait(lambda proxy: all(request.over for request in proxy.chunks))
    assert page.evaluate(REMEMBERED) == [["x/cover.jpg", True], ["y/cover.jpg", True]]
    page.evaluate(ADD_FOLDER, files[::-1])
    seen = [page.done(at) for at in range(2)]
    assert [[notice["code"] for notice in one["notices"]] for one in seen] == [["resumed"]] * 2
    paths = [one["result"]["metadata"]["relative_path"] for one in seen]
    assert paths == ["y/cover.jpg", "x/cover.jpg"]


def test_a_file_of_a_folder_that_is_chosen_alone_is_the_same_file(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    fault = network.proxy.hold(2)
    page.evaluate(ADD_FOLDER, [["x/film.mp4", "a" * 3 * CHUNK]])
    fault.wait()
    page.open()
    fault.release()
    alone = tmp_path / "film.mp4"
    alone.write_text("a" * 3 * CHUNK)
    page.pick(alone)
    seen = page.done()
    assert [notice["code"] for notice in seen["notices"]] == ["resumed"]
    assert seen["result"]["metadata"]["relative_path"] == "x/film.mp4"


def test_the_same_file_twice_in_one_list_is_sent_once_and_said_so(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library()
    file = make_file(tmp_path / "file.bin", 2 * CHUNK)
    fault = network.proxy.hold(1)
    page.pick(file)
    fault.wait()
    page.pick(file)
    page.until("waiting: same-file", 1)
    fault.release()
    first, second = page.done(0), page.done(1)
    assert [notice["code"] for notice in second["notices"]] == ["same-file"]
    assert first["result"] == second["result"]
    assert len(network.stored) == 1
    assert page.evaluate(REMEMBERED) == []


def test_several_files_are_opened_again_with_one_click(library: Open, network: Network) -> None:
    page = library(simultaneous=1)
    fault = network.proxy.hold(1)
    page.evaluate(
        """async (size) => {
            const folder = await navigator.storage.getDirectory();
            for (const name of ["a.txt", "b.txt"]) {
                const handle = await folder.getFileHandle(name, { create: true });
                const stream = await handle.createWritable();
                await stream.write(name.repeat(size / 5));
                await stream.close();
                follow(uploader.add(await handle.getFile(), { handle }));
            }
            follow(uploader.add(new File(["picked"], "c.txt")));
        }""",
        5 * CHUNK,
    )
    fault.wait()
    page.open()
    fault.release()
    left: list[Any] = page.evaluate(
        """async () => {
            uploader.addEventListener("added", ({ detail: { upload } }) => follow(upload));
            const left = await uploader.reopenAll(await uploader.remembered());
            return left.map(({ name }) => name);
        }"""
    )
    assert left == ["c.txt"]
    page.done(0)
    page.done(1)
    assert len(network.stored) == 2
    assert page.evaluate(REMEMBERED) == [["c.txt", False]]


def test_what_an_older_version_remembered_is_still_there(library: Open) -> None:
    page = library()
    names = page.evaluate(
        """async () => {
            const done = (request) => new Promise((then) => (request.onsuccess = then));
            await done(indexedDB.deleteDatabase("chunked-upload"));
            const opening = indexedDB.open("chunked-upload", 1);
            opening.onupgradeneeded = () => opening.result.createObjectStore("uploads",
                { keyPath: ["endpoint", "uploadId"] });
            await done(opening);
            const record = { endpoint: new URL("/uploads/", location.href).href, uploadId: "1",
                name: "old.bin", size: 3, expires: null, updated: 1, result: null };
            await done(opening.result.transaction("uploads", "readwrite")
                .objectStore("uploads").put(record));
            opening.result.close();
            return (await new ChunkedUploader().remembered()).map(({ name, path }) => name + path);
        }"""
    )
    assert names == ["old.bin"]


def test_a_clock_that_is_wrong_forgets_nothing(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """Times are compared with the server's clock."""
    page = library()
    page.page.add_init_script("const now = Date.now; Date.now = () => now() + 3 * 86_400_000")
    page.open()
    fault = network.proxy.hold(1)
    page.pick(make_file(tmp_path / "file.bin", 3 * CHUNK))
    fault.wait()
    page.open()
    fault.release()
    assert page.evaluate(REMEMBERED) == [["file.bin", True]]
    page.evaluate("() => uploader.list()")
    assert page.evaluate(REMEMBERED) == [["file.bin", True]]
    offset = page.evaluate("uploader.clockOffset")
    assert abs(offset + 3 * 86_400_000) < 60_000
