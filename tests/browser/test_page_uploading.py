"""The page while files go up: picked or dropped, several at once, paused, canceled, refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.visitor import Visitor, chunks
from tests.support.protocol import md5_of


def test_several_files_go_up_at_once_and_say_so(visitor: Visitor) -> None:
    files = [visitor.file(f"{n}.bin", chunks(n)) for n in range(5)]
    visitor.upload(*files)
    visitor.assert_stored(*files)
    expect(visitor.page.locator(".cu-summary")).to_contain_text("5 files uploaded")
    for file in files:
        visitor.button(f"MD5 of {file.name}").click()
        expect(visitor.row(file.name)).to_contain_text(md5_of(file.read_bytes()))
    last = files[-1]
    visitor.button(f"MD5 of {last.name}").click()
    expect(visitor.row(last.name)).not_to_contain_text(
        md5_of(last.read_bytes()), use_inner_text=True
    )
    # What ends together is said together, unless a sentence is about to be said.
    replies: list[tuple[Route, APIResponse]] = []
    visitor.page.route("**/uploads/complete", lambda route: replies.append((route, route.fetch())))
    visitor.pick(visitor.file("left.bin", 1000), visitor.file("right.bin", 1000))
    visitor.expect_said("2 files added")
    while len(replies) < 2:
        visitor.page.wait_for_timeout(20)
    for held, reply in replies:
        held.fulfill(response=reply)
    visitor.expect_said("2 files are uploaded")


def test_an_empty_file(visitor: Visitor) -> None:
    file = visitor.file("empty.txt", 0)
    visitor.upload(file)
    visitor.expect_words("empty.txt", "Done · 0 bytes")
    visitor.assert_stored(file)


def test_progress_is_shown_of_one_and_of_all(visitor: Visitor) -> None:
    first, second = visitor.file("first.bin", chunks(3)), visitor.file("second.bin", chunks(3))
    visitor.upload(first)
    held = visitor.hold_chunk(2)
    visitor.pick(second)
    held.wait()
    visitor.expect_words("second.bin", re.compile(r"[6-9]\d% of 197 kB"))
    bar = visitor.page.get_by_role("progressbar", name="Progress of second.bin")
    assert 0.5 < float(bar.evaluate("bar => bar.position")) < 1
    total = visitor.page.get_by_role("progressbar", name="Progress of all uploads")
    assert 75 < int(total.get_attribute("aria-valuenow") or 0) < 100
    expect(visitor.page.locator(".cu-summary")).to_contain_text("1 of 2 done · ")
    expect(visitor.page).to_have_title(re.compile(r"^\d\d% – Upload files$"))
    held.release()
    visitor.expect_state("second.bin", "done")
    expect(visitor.page).to_have_title("Upload files")


def test_pause_and_resume(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", chunks(3))
    held = visitor.hold_chunk(1)
    visitor.pick(file)
    held.wait()
    visitor.button("Pause film.mp4").click()
    visitor.expect_words("film.mp4", "Paused at 49% of 197 kB")
    held.release()
    expect(visitor.button("Resume film.mp4")).to_be_focused()  # the same button, another word
    visitor.button("Resume film.mp4").click()
    visitor.expect_state("film.mp4", "done")
    visitor.assert_stored(file)


def test_pause_and_resume_all(visitor: Visitor) -> None:
    files = [visitor.file(f"{n}.bin", chunks(2)) for n in range(4)]
    held = visitor.hold_chunk(1)
    visitor.pick(*files)
    held.wait()
    visitor.button("Pause all").click()
    expect(
        visitor.page.locator(".cu-row:not([data-state=done], [data-state=paused])")
    ).to_have_count(0)
    held.release()
    visitor.button("Resume all").click()
    for file in files:
        visitor.expect_state(file.name, "done")
    visitor.assert_stored(*files)


def test_cancel_all(visitor: Visitor) -> None:
    held = visitor.hold_chunk(1)
    visitor.pick(visitor.file("film.mp4", chunks(3)))
    held.wait()
    visitor.button("Cancel all").click()
    expect(visitor.dialog()).to_contain_text("Cancel 1 upload?")
    visitor.answer("Cancel uploads")
    expect(visitor.page.locator(".cu-summary")).to_be_hidden()
    expect(visitor.button("Choose files")).to_be_focused()
    held.release()


def test_cancel_asks_when_something_has_arrived(visitor: Visitor) -> None:
    file = visitor.file("film.mp4", chunks(3))
    held = visitor.hold_chunk(1)
    visitor.pick(file)
    held.wait()
    visitor.button("Cancel film.mp4").click()
    expect(visitor.dialog()).to_contain_text("The 65.5 kB already uploaded will be deleted.")
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog()).to_be_hidden()
    visitor.expect_state("film.mp4", "uploading")
    visitor.button("Cancel film.mp4").click()
    visitor.answer("Cancel upload")
    expect(visitor.row("film.mp4")).to_have_count(0)
    held.release()
    visitor.page.wait_for_function("async () => !(await (await fetch('/uploads/')).json()).total")


def test_files_and_folders_are_dropped(visitor: Visitor) -> None:
    loose = visitor.file("loose.txt", 10)
    nested = [visitor.file(f"album/{name}", 20) for name in ("one.jpg", "deep/er/two.jpg")]
    visitor.drop(loose, visitor.directory / "album")
    for name in ("loose.txt", "album/one.jpg", "album/deep/er/two.jpg"):
        visitor.expect_state(name, "done")
    visitor.assert_stored(loose, *nested)
    paths = {
        u["filename"]: u["metadata"].get("relative_path") for u in visitor.listing("metadata=1")
    }
    assert paths["two.jpg"] == "album/deep/er/two.jpg"
    visitor.expect_said("3 files")


def test_an_empty_folder_is_said_to_be_empty(visitor: Visitor) -> None:
    (visitor.directory / "nothing").mkdir()
    visitor.drop(visitor.directory / "nothing")
    expect(visitor.page.get_by_role("alert")).to_contain_text("There are no files")
    visitor.button("Close this message").click()
    expect(visitor.page.get_by_role("alert")).to_be_empty()


def test_a_folder_is_chosen(visitor: Visitor) -> None:
    files = [visitor.file(f"album/{name}", 20) for name in ("one.jpg", "deep/two.jpg")]
    visitor.page.set_input_files("[data-input=folder]", visitor.directory / "album")
    visitor.expect_state("album/one.jpg", "done")
    visitor.expect_state("album/deep/two.jpg", "done")
    visitor.assert_stored(*files)


def test_the_page_shows_where_to_let_go(visitor: Visitor) -> None:
    file = visitor.file("a.txt", 1)
    visitor.drag("dragEnter", file)
    visitor.drag("dragOver", file)
    expect(visitor.page.get_by_text("Drop to upload")).to_be_visible()
    visitor.drag("drop", file)
    expect(visitor.page.get_by_text("Drop files or folders here")).to_be_visible()
    visitor.expect_state("a.txt", "done")


def too_large(visitor: Visitor) -> Path:
    path = visitor.directory / "huge.img"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)
    return path


def wrong_type(visitor: Visitor) -> Path:
    return visitor.file("setup.exe", 100)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            too_large,
            "Too large: the file is 2,147,483,649 bytes, the limit is 2,147,483,648 bytes. "
            "Nothing was sent.",
        ),
        (wrong_type, "Files of this type are not accepted. Nothing was sent."),
    ],
)
def test_what_is_refused_is_said_before_a_byte_is_sent(
    visitor: Visitor, make: Callable[[Visitor], Path], words: str
) -> None:
    file = make(visitor)
    visitor.pick(file)
    visitor.expect_state(file.name, "failed")
    visitor.expect_words(file.name, words)
    visitor.expect_said(f"{file.name} was not uploaded")
    assert visitor.site.proxy.chunks == []
    expect(visitor.button(f"Retry {file.name}")).to_have_count(0)  # it would be refused again
    expect(visitor.button("Retry all")).to_have_count(0)
    visitor.button(f"Remove {file.name} from the list").click()
    expect(visitor.row(file.name)).to_have_count(0)
    expect(visitor.button("Choose files")).to_be_focused()


def test_limits_are_on_the_page(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-limits")).to_have_text(
        "Up to 2.15 GB per file. No .exe files."
    )


def test_a_finished_file_joins_those_from_before(visitor: Visitor) -> None:
    """One list: the file is listed once, before and after a reload, and can be deleted at once."""
    film, photo = visitor.file("film.mp4", 1000), visitor.file("photo.jpg", 1000)
    visitor.upload(film, photo)
    visitor.page.mouse.move(0, 0)
    done = visitor.group("Done")
    expect(done).to_have_count(2)
    visitor.button("Delete photo.jpg").click()
    visitor.answer("Delete")
    expect(done).to_have_count(1)
    visitor.assert_stored(film)
    visitor.reload()
    expect(done).to_have_count(1)
    expect(visitor.listed("film.mp4")).to_contain_text("1 kB")
