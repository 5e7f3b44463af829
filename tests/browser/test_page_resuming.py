"""The page when something comes in between: reload, lost network, dead server, full disk."""

from __future__ import annotations

import json
import re
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
    const button = document.querySelector(".cu-session .cu-row button");
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


def test_after_a_reload_the_file_is_picked_again_and_goes_on(visitor: Visitor) -> None:
    begin(visitor)
    listed = visitor.listed("film.mp4")
    expect(listed).to_contain_text(re.compile(r"\d\d% of 262 kB uploaded · expires in 24 hours"))
    visitor.site.proxy.clear()
    visitor.pick_again("Choose the file film.mp4 again to resume", visitor.directory / "film.mp4")
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words("film.mp4", re.compile(r"Resumed at (131|197) kB\."))
    expect(listed).to_have_count(0)
    assert sum(request.received for request in visitor.site.proxy.chunks) < chunks(4)
    visitor.assert_stored(visitor.directory / "film.mp4")


def test_another_file_is_not_taken_for_it(visitor: Visitor) -> None:
    begin(visitor)
    other = visitor.file("other.mp4", chunks(4))
    visitor.pick_again("Choose the file film.mp4 again to resume", other)
    expect(visitor.page.get_by_role("alert")).to_contain_text("This is not film.mp4")
    expect(visitor.listed("film.mp4")).to_be_visible()
    assert [upload["filename"] for upload in visitor.listing()] == ["film.mp4"]


def test_a_file_of_the_same_name_and_size_starts_again(visitor: Visitor) -> None:
    begin(visitor)
    visitor.pick_again(
        "Choose the file film.mp4 again to resume",
        visitor.file("film.mp4", chunks(4)),  # other bytes
    )
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words("film.mp4", "The earlier upload with this name was of a different file")
    done = [upload for upload in visitor.listing() if upload["status"] == 2]
    assert done[0]["md5"] == md5_of((visitor.directory / "film.mp4").read_bytes())


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
    visitor.expect_words("film.mp4", "Waiting for the network. The upload will resume by itself.")
    visitor.expect_said("Waiting for the network")
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
    visitor.expect_state("film.mp4", "waiting")
    visitor.site.restart()
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def test_who_does_not_want_to_wait_retries_now(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", 1000)
    busy = answer_with(503, "Database does not answer", retry_after=3600)
    visitor.page.route("**/uploads/", lambda route: _chunk_or_not(route, busy))
    visitor.pick(file)
    visitor.expect_state("film.mp4", "waiting")
    visitor.page.unroute_all()
    visitor.button("Retry film.mp4 now").click()
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


def test_a_full_disk_is_waited_for(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", 1000)
    detail = "Storage is full; nothing of this request was kept, retry later"
    full = answer_with(507, detail, retry_after=3600)
    visitor.page.route("**/uploads/", lambda route: _chunk_or_not(route, full))
    visitor.pick(file)
    visitor.expect_words("film.mp4", "The server's disk is full. The uploaded part is safe")
    visitor.page.unroute_all()
    visitor.button("Retry film.mp4 now").click()
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def _chunk_or_not(route: Route, refuse: Callable[[Route], None]) -> None:
    if route.request.method == "POST":
        refuse(route)
    else:
        route.continue_()


def test_a_troubled_server_is_asked_again_and_it_says_when(visitor: Visitor) -> None:
    refuse = answer_with(503, "Database does not answer")
    visitor.page.route("**/uploads/", lambda route: _chunk_or_not(route, refuse))
    visitor.pick(visitor.file("film.mp4", 1000))
    visitor.expect_words("film.mp4", re.compile(r"Trying again in \d seconds?\."))
    visitor.page.unroute_all()
    visitor.expect_state("film.mp4", "done")


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


def test_an_expired_upload_starts_again_and_says_so(visitor: Visitor) -> None:
    begin(visitor)
    visitor.let_expire("film.mp4")
    visitor.pick_again("Choose the file film.mp4 again to resume", visitor.directory / "film.mp4")
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words(
        "film.mp4", "The earlier upload has expired, so this one starts from the beginning."
    )
    done = [upload for upload in visitor.listing() if upload["status"] == 2]
    assert done[0]["md5"] == md5_of((visitor.directory / "film.mp4").read_bytes())


def test_an_upload_that_the_server_lost_starts_again_and_says_so(visitor: Visitor) -> None:
    begin(visitor)
    [upload] = visitor.listing()
    visitor.context.request.delete(f"{visitor.site.url}/uploads/{upload['upload_id']}")
    visitor.pick_again("Choose the file film.mp4 again to resume", visitor.directory / "film.mp4")
    visitor.expect_state("film.mp4", "done")
    visitor.expect_words("film.mp4", "The server no longer has the earlier upload")
    visitor.assert_stored(visitor.directory / "film.mp4")


def test_a_file_that_changed_is_noticed_and_picked_again(visitor: Visitor) -> None:
    held = visitor.hold_chunk(1)
    file = visitor.file("film.mp4", chunks(4))
    visitor.pick(file)
    held.wait()
    visitor.file("film.mp4", chunks(4))
    held.release()
    visitor.expect_state("film.mp4", "failed")
    visitor.expect_words("film.mp4", "The file was changed or moved during the upload.")
    visitor.pick_again("Choose the file film.mp4 again to resume", file)
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def test_a_refusal_is_shown_in_the_servers_words(visitor: Visitor) -> None:
    refuse = answer_with(413, "Unfinished uploads exceed the limit (3)")
    visitor.page.route("**/uploads/", lambda route: _chunk_or_not(route, refuse))
    visitor.pick(visitor.file("film.mp4", 1000))
    visitor.expect_state("film.mp4", "failed")
    visitor.expect_words("film.mp4", "Unfinished uploads exceed the limit (3)")
