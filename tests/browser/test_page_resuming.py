"""The page when something comes in between: reload, lost network, dead server, full disk."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Dialog, Route, expect

from tests.browser.visitor import Visitor, chunks
from tests.support.protocol import md5_of

#: Gives the page a file with a handle that the browser keeps, without the system's dialog.
_PICK_BY_HANDLE = """
async ({name, size}) => {
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle(name, {create: true});
    const stream = await handle.createWritable();
    await stream.write(new Uint8Array(size).map((_, at) => at % 251));
    await stream.close();
    window.showOpenFilePicker = async () => [handle];
}
"""

#: Clicks the main button of the first file as soon as it says "Pause".
_CLICK_ONCE_IT_PAUSES = """
() => {
    const button = document.querySelector(".cu-row[data-kind=upload] .cu-actions button");
    new MutationObserver((_, observer) => {
        if (!button.title.startsWith("Pause")) return;
        observer.disconnect();
        button.click();
        window.clicked = true;
    }).observe(button, {attributes: true});
}
"""


def answer_with(
    status: int, detail: str, *, retry_after: int | None = None
) -> Callable[[Route], None]:
    """Return a handler that refuses a request as the server would; ``retry_after`` in seconds."""
    body = {"detail": detail, "error": detail}
    headers = {"Content-Type": "application/json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return lambda route: route.fulfill(status=status, headers=headers, body=json.dumps(body))


def begin(visitor: Visitor, name: str = "film.mp4", at: int = 2) -> None:
    """Begin a file of four chunks, and leave the page while chunk ``at`` is on its way."""
    held = visitor.hold_chunk(at)
    visitor.pick(visitor.file(name, chunks(4)))
    held.wait()
    visitor.reload()
    # Its end must not come later: a chunk that is committed renews the upload's time.
    held.finish()


def test_after_a_reload_the_file_and_no_other_is_picked_again_and_goes_on(visitor: Visitor) -> None:
    begin(visitor)
    listed = visitor.listed("film.mp4")
    expect(listed).to_contain_text(re.compile(r"\d\d% of 262 kB uploaded · 7 days left to finish"))
    other = visitor.file("other.mp4", chunks(4))
    visitor.pick_again("Choose the file film.mp4 again to resume", other)
    expect(visitor.page.get_by_role("alert")).to_contain_text("This is not film.mp4")
    expect(listed).to_be_visible()
    assert [upload["filename"] for upload in visitor.listing()] == ["film.mp4"]
    visitor.button("Close this message").click()
    visitor.site.proxy.clear()
    visitor.pick_again("Choose the file film.mp4 again to resume", visitor.directory / "film.mp4")
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words("film.mp4", re.compile(r"Resumed at (131|197) kB\."))
    expect(listed).to_have_count(0)
    assert sum(request.received for request in visitor.site.proxy.chunks) < chunks(4)
    visitor.assert_stored(visitor.directory / "film.mp4")


def test_a_file_of_the_same_name_and_size_starts_again(visitor: Visitor) -> None:
    begin(visitor)
    visitor.pick_again(
        "Choose the file film.mp4 again to resume",
        visitor.file("film.mp4", chunks(4)),  # other bytes
    )
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words("film.mp4", "The file is not the same as in the earlier upload")
    done = [upload for upload in visitor.listing() if upload["status"] == 2]
    assert done[0]["md5"] == md5_of((visitor.directory / "film.mp4").read_bytes())


def test_a_file_that_has_changed_since_is_uploaded_in_its_new_version(visitor: Visitor) -> None:
    """Its upload cannot be resumed; the user decides, and the old bytes go."""
    begin(visitor)
    file = visitor.file("film.mp4", chunks(4) + 1000)
    visitor.pick_again("Choose the file film.mp4 again to resume", file)
    expect(visitor.dialog()).to_contain_text("film.mp4 has changed")
    expect(visitor.dialog()).to_contain_text(
        "It was 262 kB when the upload started, and is now 263 kB"
    )
    visitor.answer("Not now")
    expect(visitor.listed("film.mp4")).to_be_visible()
    visitor.button("Resume all unfinished uploads").click()
    with visitor.page.expect_file_chooser() as chooser:
        visitor.dialog().get_by_role("button", name="Choose files").click()
    chooser.value.set_files(file)
    visitor.answer("Upload the new version")
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)
    visitor.expect_remembered()


def test_with_a_handle_one_click_goes_on(visitor: Visitor) -> None:
    visitor.page.evaluate(_PICK_BY_HANDLE, {"name": "film.mp4", "size": chunks(4)})
    held = visitor.hold_chunk(2)
    visitor.button("Choose files").click()
    held.wait()
    visitor.reload()
    held.release()
    visitor.button("Resume uploading film.mp4").click()
    visitor.expect_state("film.mp4", "done")
    [upload] = visitor.listing()
    assert upload["md5"] == md5_of(bytes(at % 251 for at in range(chunks(4))))


def test_an_unfinished_upload_is_deleted(visitor: Visitor) -> None:
    begin(visitor)
    visitor.button("Delete film.mp4").click()
    expect(visitor.dialog()).to_contain_text("Delete film.mp4?")
    visitor.answer("Delete")
    expect(visitor.listed("film.mp4")).to_have_count(0)
    visitor.expect_said("film.mp4 is deleted")
    expect(visitor.button("Choose files")).to_be_focused()
    assert visitor.listing() == []


def test_what_is_under_way_is_not_left_without_a_question(visitor: Visitor) -> None:
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    visitor.page.on("dialog", agree)
    held = visitor.hold_chunk(1)
    visitor.pick(visitor.file("film.mp4", chunks(3)))
    held.wait()
    visitor.page.mouse.click(5, 5)  # browsers ask only those who have done something
    visitor.reload()
    assert asked == ["beforeunload"]


#: Keeps the browser's storage busy until `letGo` is set.
_OCCUPY = """() => new Promise((occupied) => {
    indexedDB.open("chunked-upload").onsuccess = ({ target: { result: database } }) => {
        const store = database.transaction("files", "readwrite").objectStore("files");
        const again = () => {
            occupied();
            if (window.letGo) database.close();
            else store.count().onsuccess = again;
        };
        again();
    };
})"""

#: Whether the page lets the user leave without a question.
_LEAVES = "() => dispatchEvent(new Event('beforeunload', {cancelable: true}))"


def test_a_file_that_is_not_stored_yet_is_not_left_without_a_question(visitor: Visitor) -> None:
    """Of thousands of files the last ones may be paused before the browser has stored them."""
    visitor.page.route("**/uploads/", lambda route: None)  # nothing gets an answer
    visitor.pick(visitor.file("first.mp4", chunks(1)))
    visitor.expect_remembered("first.mp4")
    visitor.page.evaluate(_OCCUPY)
    visitor.pick(visitor.file("second.mp4", chunks(1)))
    expect(visitor.row("second.mp4")).to_be_visible()
    visitor.button("Pause all").click()
    visitor.expect_state("second.mp4", "paused")
    assert not visitor.page.evaluate(_LEAVES)
    visitor.page.evaluate("window.letGo = true")
    visitor.expect_remembered("first.mp4", "second.mp4")
    visitor.page.wait_for_function(_LEAVES)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds outside of the page."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pick_and_lose_the_network(visitor: Visitor) -> Path:
    """Pick a file; its second chunk is on its way when the network goes."""
    file = visitor.file("film.mp4", chunks(3))
    held = visitor.hold_chunk(1)
    visitor.pick(file)
    held.wait()
    visitor.context.set_offline(True)
    held.release()
    return file


def test_without_a_network_it_waits_and_goes_on_by_itself(visitor: Visitor) -> None:
    file = pick_and_lose_the_network(visitor)
    visitor.expect_words("film.mp4", "You are offline. The upload will resume when")
    visitor.expect_said("You are offline")
    expect(visitor.page.locator(".cu-summary")).to_contain_text("1 file is waiting")
    visitor.context.set_offline(False)
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def test_a_dead_server_is_waited_for(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", chunks(3))
    held = visitor.hold_chunk(1)
    visitor.pick(file)
    held.wait()
    visitor.site.server.kill()
    held.release()
    visitor.expect_words("film.mp4", re.compile(r"The server cannot be reached\. Trying again"))
    visitor.site.restart()
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def test_a_click_meant_for_retry_now_does_not_pause(visitor: Visitor) -> None:
    """The button becomes "Pause" when the upload resumes by itself, maybe just before the click."""
    file = pick_and_lose_the_network(visitor)
    visitor.expect_state("film.mp4", "waiting")
    visitor.page.evaluate(_CLICK_ONCE_IT_PAUSES)
    visitor.context.set_offline(False)
    visitor.expect_state("film.mp4", "done")
    assert visitor.page.evaluate("window.clicked")
    visitor.assert_stored(file)


def test_a_full_disk_is_waited_for_unless_one_retries_now(visitor: Visitor) -> None:
    """All files together, or one."""
    files = [visitor.file("film.mp4", 1000), visitor.file("photo.jpg", 1000)]
    detail = "Storage is full; nothing of this request was kept, retry later"
    full = answer_with(507, detail, retry_after=3600)
    refuse_to_begin(visitor, full)
    for file, button in zip(files, ("Retry now", "Retry photo.jpg now"), strict=True):
        visitor.pick(file)
        visitor.expect_words(
            file.name,
            re.compile(
                r"disk is full\. The uploaded part is safe\. Trying again in \d+ (min|hour)"
            ),
        )
        visitor.page.unroute_all()
        visitor.button(button).click()
        visitor.expect_state(file.name, "done")
        refuse_to_begin(visitor, full)
    visitor.assert_stored(*files)


def refuse_to_begin(visitor: Visitor, refuse: Callable[[Route], None]) -> None:
    """From now on, no upload is begun."""

    def decide(route: Route) -> None:
        if route.request.method == "POST":
            refuse(route)
        else:
            route.continue_()

    visitor.page.route("**/uploads/", decide)


def test_a_wrong_md5_is_said_clearly_with_what_to_do(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", chunks(2))
    visitor.page.route("**/complete", answer_with(400, "md5 checksum does not match"))
    visitor.pick(file)
    visitor.expect_state("film.mp4", "failed")
    visitor.expect_words("film.mp4", "the checksums do not match. Retry to send the whole file")
    visitor.expect_said("film.mp4 was not uploaded: The uploaded bytes differ from the file")
    visitor.page.unroute_all()
    visitor.button("Retry film.mp4").click()
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)  # and nothing else is there any more


def test_an_upload_that_expired_or_was_lost_starts_again_and_says_so(visitor: Visitor) -> None:
    says = {
        "film.mp4": "The earlier upload has expired, so this one starts from the beginning.",
        "lost.mp4": "The server no longer has the earlier upload",
    }
    for name in says:
        begin(visitor, name)
    [lost] = [upload for upload in visitor.listing() if upload["filename"] == "lost.mp4"]
    visitor.let_expire("film.mp4")
    visitor.context.request.delete(f"{visitor.site.url}/uploads/{lost['upload_id']}")
    for name, words in says.items():
        file = visitor.directory / name
        visitor.pick_again(f"Choose the file {name} again to resume", file)
        visitor.expect_state(name, "done")
        visitor.expect_words(name, words)
        done = [u["md5"] for u in visitor.listing("status=2") if u["filename"] == name]
        assert done == [md5_of(file.read_bytes())]


def test_a_file_that_changed_or_was_away_is_noticed_and_picked_again(visitor: Visitor) -> None:
    """Only the one that is the same resumes."""
    film = visitor.file("film.mp4", chunks(4))
    held = visitor.hold_chunk(1)
    visitor.pick(film)
    held.wait()
    visitor.file("film.mp4", chunks(4))
    held.release()
    visitor.expect_state("film.mp4", "failed")
    visitor.expect_words("film.mp4", "The file was changed or moved during the upload.")
    visitor.pick_again("Choose the file film.mp4 again to resume", film)
    visitor.expect_state("film.mp4", "done")
    other = visitor.file("other.mp4", chunks(4))
    held = visitor.hold_chunk(2)
    visitor.pick(other)
    held.wait()
    away = other.rename(other.with_name("away.mp4"))
    held.release()
    visitor.expect_state("other.mp4", "failed")
    away.rename(other)
    visitor.pick_again("Choose the file other.mp4 again to resume", other)
    visitor.expect_state("other.mp4", "done")
    visitor.expect_words("other.mp4", "Resumed at")
    visitor.assert_stored(film, other)


def test_what_the_server_refuses_or_suffers_is_shown_in_its_words(visitor: Visitor) -> None:
    """But sizes are written as everywhere; where it has a problem, it is asked again."""
    answers = {
        "full.mp4": (413, "Unfinished uploads exceed the limit (3)"),
        "large.mp4": (400, "Size of file exceeds the limit (1500000 bytes)"),
        "film.mp4": (503, "Database does not answer"),
    }
    for name, answer in answers.items():
        visitor.page.unroute_all()
        refuse_to_begin(visitor, answer_with(*answer))
        visitor.pick(visitor.file(name, 1000))
        visitor.expect_state(name, "waiting" if answer[0] == 503 else "failed")
    visitor.expect_words("full.mp4", "Unfinished uploads exceed the limit (3)")
    visitor.expect_words("large.mp4", "Size of file exceeds the limit (1.5 MB)")
    visitor.expect_words(
        "film.mp4",
        re.compile(
            r"The server has a problem: Database does not answer\. Trying again in \d seconds?\."
        ),
    )
    visitor.page.unroute_all()
    visitor.expect_state("film.mp4", "done")


def let_begin(visitor: Visitor, number: int) -> None:
    """From now on only so many files are created on the server, and none of their bytes arrive.

    Until the page has gone: without routes the browser sends what was held, before it loads again.
    """
    begun: list[Route] = []

    def decide(route: Route) -> None:
        method = route.request.method
        if method in ("GET", "HEAD", "OPTIONS"):
            route.continue_()
        elif method == "POST" and len(begun) < number:
            begun.append(route)
            route.continue_()

    visitor.page.route("**/uploads/**", decide)


def test_with_handles_all_resume_without_a_question(visitor: Visitor) -> None:
    let_begin(visitor, 1)  # the other is remembered before its first byte
    for name in ("film.mp4", "photo.jpg"):
        visitor.page.evaluate(_PICK_BY_HANDLE, {"name": name, "size": chunks(2)})
        visitor.button("Choose files").click()
        expect(visitor.row(name)).to_be_visible()
    until(lambda: len(visitor.listing()) == 1)
    visitor.expect_remembered("film.mp4", "photo.jpg")
    visitor.reload()
    visitor.page.unroute_all()
    expect(visitor.group("Needs you")).to_have_count(2)
    visitor.button("Resume all unfinished uploads").click()
    expect(visitor.group("Done")).to_have_count(2)
    expect(visitor.dialog()).to_have_count(0)


def test_an_upload_whose_first_answer_was_lost_is_listed_once(visitor: Visitor) -> None:
    """The server has it and the browser remembers it, but the browser does not know its id."""

    def create_without_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
        else:
            route.continue_()

    visitor.page.route("**/uploads/", create_without_answer)
    film = visitor.file("film.mp4", chunks(2))
    with visitor.page.expect_request(lambda request: request.method == "POST"):
        visitor.pick(film)
    until(lambda: bool(visitor.listing()))
    visitor.reload()
    expect(visitor.group("Needs you")).to_have_count(1)
    expect(visitor.listed("film.mp4")).to_contain_text("0% of 131 kB uploaded")
    visitor.pick_again("Choose the file film.mp4 again to resume", film)
    visitor.expect_state("film.mp4", "done")
    expect(visitor.group("Needs you")).to_have_count(0)
    visitor.assert_stored(film)


def test_after_a_reload_all_resume_with_one_click(visitor: Visitor) -> None:
    """Begun or queued, in folders, with equal names: the files are asked for together."""
    album = visitor.directory / "album"
    files = [visitor.file(f"album/{n}/photo.jpg", chunks(2)) for n in range(5)]
    let_begin(visitor, 3)  # as many as run at a time
    visitor.page.set_input_files("[data-input=folder]", album)
    until(lambda: len(visitor.listing()) == 3)
    visitor.expect_remembered(*(f"album/{n}/photo.jpg" for n in range(5)))
    visitor.reload()
    visitor.page.unroute_all()
    expect(visitor.group("Needs you")).to_have_count(5)
    expect(visitor.listed("album/4/photo.jpg")).to_contain_text("Not started · 131 kB")
    visitor.button("Resume all unfinished uploads").click()
    expect(visitor.dialog()).to_contain_text("Choose 5 files to resume")
    expect(visitor.dialog()).to_contain_text("album/4/photo.jpg")
    with visitor.page.expect_file_chooser() as chooser:
        visitor.dialog().get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(album)
    expect(visitor.dialog()).to_be_hidden()
    expect(visitor.group("Done")).to_have_count(5)
    expect(visitor.page.get_by_role("list", name="Needs you")).to_have_count(0)
    stored = {
        u["metadata"]["relative_path"]: u["md5"] for u in visitor.listing("metadata=1&status=2")
    }
    paths = [str(file.relative_to(visitor.directory)) for file in files]
    assert stored == {
        path: md5_of(file.read_bytes()) for path, file in zip(paths, files, strict=True)
    }


def test_the_same_file_twice_is_said_truly(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", chunks(2))
    held = visitor.hold_chunk(1)
    visitor.pick(file)
    held.wait()
    visitor.pick(file)
    expect(visitor.page.get_by_text("This file is already in the list.")).to_be_visible()
    held.release()
    expect(visitor.group("Done")).to_have_count(2)
    visitor.assert_stored(file)


def test_the_summary_tells_what_is_done_failed_and_paused(visitor: Visitor) -> None:
    visitor.upload(visitor.file("done.bin", 50_000))
    held = visitor.hold_chunk(2)
    visitor.pick(visitor.file("film.mp4", chunks(3)))
    held.wait()
    visitor.button("Pause all").click()
    held.release()
    visitor.page.route("**/uploads/", answer_with(400, "No"))
    visitor.pick(visitor.file("bad.bin", 50_000))
    visitor.expect_state("bad.bin", "failed")
    summary = visitor.page.locator(".cu-summary")
    expect(summary).to_contain_text("1 of 3 done · 1 failed · 1 paused · ")
    bar = visitor.page.get_by_role("progressbar", name="Progress of all uploads")
    shares = "bar => [...bar.children].map((part) => parseFloat(part.style.inlineSize))"
    sent, paused, failed = bar.evaluate(shares)
    assert sent == failed  # 50 kB each
    assert 0 < paused < 67
    assert sent + paused + failed <= 100.1
    said = bar.get_attribute("aria-valuetext") or ""
    assert re.search(r"1 of 3 done · 1 failed · 1 paused · \d+ kB of 297 kB$", said)
    # What was refused before a byte was sent is counted, but its bytes are not.
    visitor.pick(visitor.file("setup.exe", 3_000_000))
    visitor.expect_state("setup.exe", "failed")
    expect(summary).to_contain_text(
        re.compile(r"1 of 4 done · 2 failed · 1 paused · \d+ kB of 297 kB")
    )
