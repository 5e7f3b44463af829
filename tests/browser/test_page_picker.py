"""Choosing files: pasted, from the camera, from folders of any size; what is left out is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Route, expect

from tests.browser.clients.page import PAGE
from tests.browser.visitor import Visitor, chunks

QUOTA = replace(PAGE, environment={**PAGE.environment, "CHUNKED_UPLOAD_MAX_OPEN_BYTES": "300000"})

Visit = Callable[..., Visitor]

_PASTE = """([name, type]) => {
    const clipboardData = new DataTransfer();
    const stamp = {type, lastModified: Date.UTC(2026, 10, 28, 9, 30)};
    clipboardData.items.add(new File(["pixels"], name, stamp));
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true}));
}"""


def test_files_are_pasted(visitor: Visitor) -> None:
    visitor.page.evaluate(_PASTE, ["notes.txt", "text/plain"])
    visitor.expect_state("notes.txt", "done")
    visitor.page.evaluate(_PASTE, ["image.png", "image/png"])  # what every screenshot is called
    visitor.expect_state("image 2026-11-28 09-30-00.png", "done")


def test_junk_is_left_out_and_named(visitor: Visitor) -> None:
    wanted = [visitor.file(f"album/{name}", 20) for name in ("one.jpg", ".profile", "Thumbs.dbx")]
    for junk in (".DS_Store", "Thumbs.db", "desktop.ini", "._one.jpg", "__MACOSX/one.jpg"):
        visitor.file(f"album/{junk}", 20)
    visitor.drop(visitor.directory / "album")
    for file in wanted:
        visitor.expect_state(f"album/{file.name}", "done")
    message = visitor.page.get_by_role("alert")
    expect(message).to_contain_text("Left out 5 system files: ")
    expect(message).to_contain_text("Thumbs.db")
    visitor.expect_said("3 files added")
    visitor.assert_stored(*wanted)


def test_empty_folders_are_said(visitor: Visitor) -> None:
    file = visitor.file("album/one.jpg", 20)
    (visitor.directory / "album" / "deep" / "empty").mkdir(parents=True)
    (visitor.directory / "album" / "blank").mkdir()
    visitor.drop(visitor.directory / "album")
    visitor.expect_state("album/one.jpg", "done")
    message = visitor.page.get_by_role("alert")
    expect(message).to_contain_text(re.compile("There are no files in 2 folders: album/"))
    expect(message).to_contain_text("album/deep/empty")
    visitor.assert_stored(file)


def test_phones_are_offered_what_phones_can(visit: Visit) -> None:
    phone = visit(is_mobile=True, has_touch=True, viewport={"width": 360, "height": 740})
    zone = phone.page.locator(".cu-drop")
    expect(zone).to_contain_text("Choose files to upload")
    expect(zone).not_to_contain_text(re.compile("drop|paste|folder", re.IGNORECASE))
    with phone.page.expect_file_chooser() as chooser:
        phone.button("Take a photo").tap()
    camera = chooser.value.element
    assert camera.get_attribute("capture") == "environment"
    assert camera.get_attribute("accept") == "image/*"
    chooser.value.set_files(phone.file("image.jpg", 100))
    expect(phone.page.locator(".cu-row[data-state=done]")).to_contain_text(
        re.compile(r"image 20\d\d-\d\d-\d\d \d\d-\d\d-\d\d\.jpg")
    )


def test_desktops_are_offered_to_drop_and_no_camera(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-drop")).to_contain_text("Drop files or folders here")
    expect(visitor.button("Take a photo")).to_have_count(0)


@pytest.fixture
def bounded(visit: Visit) -> Visitor:
    """Somebody with a quota of 300 kB."""
    return visit(QUOTA, viewport={"width": 340, "height": 900})


def test_what_is_left_of_the_quota_is_shown_and_kept_to(bounded: Visitor) -> None:
    limits = bounded.page.locator(".cu-limits")
    expect(limits).to_contain_text("300 kB of 300 kB left for uploads in progress.")
    assert bounded.shifts < 0.01, "the line was there before the answer, on a narrow screen too"
    asked: list[str] = []
    bounded.page.on("request", lambda request: asked.append(request.method))
    bounded.pick(bounded.file("large.bin", 400_000), bounded.file("small.bin", 1000))
    expect(bounded.page.get_by_role("alert")).to_contain_text(
        "large.bin is 400 kB, but you have only 300 kB left for uploads. Nothing was sent."
    )
    bounded.expect_state("small.bin", "done")
    expect(bounded.row("large.bin")).to_have_count(0)
    assert [u["filename"] for u in bounded.listing()] == ["small.bin"]
    bounded.button("Close this message").click()
    bounded.pick(*(bounded.file(f"large {n}.bin", 400_000) for n in range(10)))
    words = "10 files are larger and were not sent: large 0.bin, large 1.bin"
    expect(bounded.page.get_by_role("alert")).to_contain_text(words)
    expect(bounded.page.locator(".cu-toast")).to_have_count(1)


def test_the_accounts_limit_holds_as_soon_as_it_is_known(visitor: Visitor) -> None:
    """It may depend on the user, whom the request for the page did not name."""

    def limit(route: Route) -> None:
        reply = route.fetch()
        account = reply.json()
        route.fulfill(json={**account, "limits": {**account["limits"], "max_bytes": 2000}})

    visitor.page.route("**/uploads/account", limit)
    visitor.reload()
    expect(visitor.page.locator(".cu-limits")).to_contain_text("Up to 2 kB per file.")
    visitor.pick(visitor.file("large.bin", 3000), visitor.file("small.bin", 1000))
    visitor.expect_state("large.bin", "failed")
    visitor.expect_words("large.bin", "2 kB")
    visitor.expect_state("small.bin", "done")


def test_an_upload_that_resumes_has_its_space_already(bounded: Visitor) -> None:
    file = bounded.file("film.mp4", chunks(3))
    held = bounded.hold_chunk(2)
    bounded.pick(file)
    held.wait()
    bounded.page.evaluate("window.onbeforeunload = null")
    bounded.reload()
    held.release()
    expect(bounded.page.locator(".cu-limits")).to_contain_text("103 kB of 300 kB left")
    bounded.pick(file)
    bounded.expect_state("film.mp4", "done")


#: A folder of so many files as browsers tell it, and a library that only counts.
_LARGE = """async (count) => {
    const {droppedFiles} = await import("/uploads/static/page/dropped.js");
    const {Intake} = await import("/uploads/static/page/intake.js");
    const file = (n) => ({
        isFile: true, isDirectory: false, fullPath: `/large/${n}.txt`,
        file: (found) => queueMicrotask(() => found(new File(["x"], `${n}.txt`))),
    });
    let next = 0;
    const batch = () => Array.from({length: Math.min(100, count - next)}, () => file(next++));
    const readEntries = (found) => setTimeout(() => found(batch()));
    const folder = {
        isFile: false, isDirectory: true, fullPath: "/large",
        createReader: () => ({readEntries}),
    };
    const item = {kind: "file", webkitGetAsEntry: () => folder, getAsFile: () => null};
    let longest = 0, last = performance.now(), over = false;
    const beat = () => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        if (!over) setTimeout(beat, 10);
    };
    beat();
    const seen = [], said = [], added = [];
    const {picked} = await droppedFiles({items: [item]}, (found) => seen.push(found));
    const texts = {say: (key, values) => `${key} ${values.done ?? ""}`};
    const uploader = {add: (one) => {
        const until = performance.now() + 0.1; // each costs something, as with the library
        while (performance.now() < until);
        added.push(one.name);
    }};
    const announcer = {say: () => {}};
    const standing = {account: null};
    const onProgress = (words) => said.push(words);
    await new Intake(texts, {uploader, announcer, standing, onProgress}).take(picked);
    over = true;
    const orderly = added.every((name, n) => name === `${n}.txt`);
    return {longest, seen: seen.length, said: said.length, last: said.at(-1), orderly,
        added: added.length};
}"""


def test_a_folder_of_thousands_of_files_is_read_bit_by_bit(visitor: Visitor) -> None:
    visitor.serve_sources()
    visitor.page.goto(visitor.site.url + "/")
    visitor.wait_for_lists()
    told = visitor.page.evaluate(_LARGE, 5_000)
    assert (told["added"], told["orderly"]) == (5_000, True)
    assert told["seen"] >= 50, "progress was told while the folder was read"
    assert told["said"] >= 10, "and while the files were added"
    assert told["last"] == ""
    assert told["longest"] < 1000, "milliseconds for which the page did not answer"
