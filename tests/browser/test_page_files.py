"""My uploads: what is finished, with MD5, download and removal; pages; empty and error states."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.clients.page import PAGE
from tests.browser.visitor import Visitor
from tests.support.protocol import md5_of


@pytest.fixture
def owner(visitor: Visitor) -> Visitor:
    """Somebody who has uploaded three files and come back."""
    visitor.have(*(visitor.file(f"{n}.bin", 1000 + n) for n in range(3)))
    return visitor


def test_nothing_yet_and_nothing_any_more(visitor: Visitor) -> None:
    note = visitor.page.locator(".cu-files").get_by_text("Nothing here yet.")
    expect(note).to_be_visible()
    visitor.upload(visitor.file("only.bin", 1000))
    expect(note).to_be_hidden()
    visitor.button("Delete only.bin").click()
    visitor.answer("Delete")
    expect(note).to_be_visible()
    expect(visitor.button("Choose files")).to_be_focused()


def test_finished_uploads_are_listed_newest_first(owner: Visitor) -> None:
    rows = owner.page.locator(".cu-files .cu-row")
    expect(rows).to_have_count(3)
    names = [upload["filename"] for upload in owner.listing()]
    titles = "names => names.map((name) => name.title)"
    assert owner.page.locator(".cu-files .cu-name").evaluate_all(titles) == names
    expect(owner.listed("1.bin")).to_contain_text("1 kB")
    owner.button("MD5 of 1.bin").click()
    expect(owner.listed("1.bin")).to_contain_text(md5_of((owner.directory / "1.bin").read_bytes()))


def test_the_md5_is_copied_or_shown_where_copying_is_forbidden(owner: Visitor) -> None:
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.button("MD5 of 1.bin").click()
    owner.button("Copy the MD5 of 1.bin").click()
    owner.expect_said("Copied the MD5 of 1.bin")
    md5 = md5_of((owner.directory / "1.bin").read_bytes())
    assert owner.page.evaluate("navigator.clipboard.readText()") == md5
    owner.page.evaluate("() => void (navigator.clipboard.writeText = async () => Promise.reject())")
    owner.button("Copy the MD5 of 1.bin").click()
    expect(owner.page.get_by_role("alert")).to_contain_text(md5)


def test_where_the_server_keeps_sha256_alone_it_is_shown_and_copied(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit(replace(PAGE, environment={"CHUNKED_UPLOAD_CHECKSUMS": "sha256"}))
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    file = visitor.file("film.mp4", 1000)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    visitor.upload(file)
    visitor.button("SHA-256 of film.mp4").click()
    expect(visitor.row("film.mp4")).to_contain_text(sha256)
    visitor.button("Copy the SHA-256 of film.mp4").click()
    visitor.expect_said("Copied the SHA-256 of film.mp4")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == sha256


def test_one_is_downloaded_or_several_at_once(owner: Visitor) -> None:
    with owner.page.expect_download() as download:
        owner.page.get_by_role("link", name="Download 1.bin").click()
    assert download.value.suggested_filename == "1.bin"
    assert download.value.path().read_bytes() == (owner.directory / "1.bin").read_bytes()
    got = []
    owner.page.on("download", lambda download: got.append(download.suggested_filename))
    owner.button("Select files").click()
    for name in ("0.bin", "2.bin"):
        owner.page.get_by_role("checkbox", name=f"Select {name}").click()
    with owner.page.expect_download(lambda one: one.suggested_filename == "2.bin"):
        owner.button("Download").click()
    assert sorted(got) == ["0.bin", "2.bin"]
    owner.page.keyboard.press("Escape")
    expect(owner.button("Select files")).to_be_focused()


def test_a_file_just_uploaded_is_downloaded(visitor: Visitor) -> None:
    file = visitor.file("new.bin", 3000)
    visitor.upload(file)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download new.bin").click()
    assert download.value.path().read_bytes() == file.read_bytes()


def test_deleting_asks_and_moves_the_focus_on(owner: Visitor) -> None:
    name = owner.first_listed()
    owner.button(f"Delete {name}").click()
    expect(owner.dialog().get_by_role("button", name="Keep file")).to_be_focused()
    owner.answer("Keep file")
    expect(owner.button(f"Delete {name}")).to_be_focused()
    owner.button(f"Delete {name}").click()
    owner.answer("Delete")
    expect(owner.listed(name)).to_have_count(0)
    focused = owner.page.evaluate("document.activeElement.closest('.cu-files .cu-row') !== null")
    assert focused, "the focus is at the row that took its place"
    assert len(owner.listing()) == 2
    # One that is gone already is taken off the list, and nothing said.
    gone = owner.first_listed()
    [upload] = [upload for upload in owner.listing() if upload["filename"] == gone]
    owner.context.request.delete(f"{owner.site.url}/uploads/{upload['upload_id']}")
    owner.button(f"Delete {gone}").click()
    owner.answer("Delete")
    expect(owner.listed(gone)).to_have_count(0)
    expect(owner.page.get_by_role("alert")).to_be_empty()


def test_many_come_as_they_are_reached_are_searched_ordered_and_deleted(visitor: Visitor) -> None:
    files = [visitor.file(f"{n}.txt", 1) for n in range(60)]
    visitor.have(visitor.file("large.bin", 5000), *files)
    they_come_as_they_are_reached(visitor)
    search_and_order_know_all(visitor)
    several_are_deleted_at_once(visitor)


def they_come_as_they_are_reached(visitor: Visitor) -> None:
    """Finished files are loaded page by page, and rows are made for those in sight."""
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    expect(visitor.page.get_by_role("heading", name="Done 61")).to_be_visible()
    rows = visitor.page.locator(".cu-row")
    assert rows.count() < 40
    height = "document.documentElement.scrollHeight"
    assert visitor.page.evaluate(height) < 2 * visitor.page.evaluate("innerHeight")
    last = visitor.listed("large.bin")
    while not last.count():
        visitor.page.locator(".cu-scroll").evaluate("box => box.scrollBy(0, 1e6)")
        visitor.page.wait_for_timeout(50)
    expect(last).to_have_attribute("aria-posinset", "61")
    assert [url for url in asked if "page=2" in url and "status=2" in url]
    assert rows.count() < 40


def search_and_order_know_all(visitor: Visitor) -> None:
    visitor.reload()  # of most, nothing has been loaded
    rows = visitor.page.locator(".cu-row")
    search = visitor.page.get_by_role("searchbox", name="Search by name or folder")
    search.fill("7.t")
    expect(rows).to_have_count(6)
    titles = "names => names.map((name) => name.title)"
    assert visitor.page.locator(".cu-name").evaluate_all(titles) == [
        f"{n}7.txt" for n in (5, 4, 3, 2, 1, "")
    ]
    search.fill("no such file")
    expect(visitor.page.get_by_text("No file or folder name matches.")).to_be_visible()
    search.fill("")
    visitor.page.get_by_role("combobox", name="Order").select_option("By name")
    expect(rows.first).to_contain_text("0.txt")
    visitor.page.get_by_role("combobox", name="Order").select_option("Largest first")
    expect(rows.first).to_contain_text("large.bin")


def several_are_deleted_at_once(visitor: Visitor) -> None:
    visitor.reload()
    visitor.button("Select files").click()
    expect(visitor.page.get_by_role("checkbox", name="Select all")).to_be_focused()
    visitor.page.get_by_role("checkbox", name="Select 57.txt").click()
    visitor.page.get_by_role("checkbox", name="Select 54.txt").click(modifiers=["Shift"])
    expect(visitor.page.get_by_text("4 files selected")).to_be_visible()
    visitor.button("Delete").click()
    expect(visitor.dialog()).to_contain_text("Delete 4 files?")
    visitor.answer("Delete")
    expect(visitor.page.get_by_role("heading", name="Done 57")).to_be_visible()
    visitor.expect_said("4 files are deleted")
    expect(visitor.button("Select files")).to_be_focused()
    assert {u["filename"] for u in visitor.listing()}.isdisjoint({"57.txt", "54.txt"})
    # All of them: also those that have not been loaded yet.
    visitor.button("Select files").click()
    visitor.page.get_by_role("checkbox", name="Select all").check()
    expect(visitor.page.get_by_text("57 files selected")).to_be_visible()
    visitor.button("Delete").click()
    visitor.answer("Delete")
    expect(visitor.page.locator(".cu-files")).to_contain_text("Nothing here yet.")
    expect(visitor.button("Choose files")).to_be_focused()
    assert visitor.listing() == []


def test_a_group_is_folded(owner: Visitor) -> None:
    owner.page.get_by_role("button", name="Done 3").press("Enter")
    expect(owner.page.locator(".cu-row")).to_have_count(0)
    expect(owner.page.get_by_role("button", name="Done 3")).to_be_focused()
    owner.page.get_by_role("button", name="Done 3").press("Enter")
    expect(owner.page.locator(".cu-row")).to_have_count(3)


def test_a_list_that_cannot_be_had_is_asked_for_again(visitor: Visitor) -> None:
    refusal = {"detail": "Database does not answer"}
    visitor.page.route("**/uploads/?*", lambda route: route.fulfill(status=503, json=refusal))
    visitor.reload()
    files = visitor.page.locator(".cu-files")
    expect(files).to_contain_text("Your uploads cannot be listed now: Database does not answer")
    visitor.page.unroute_all()
    visitor.button("Try again").click()
    expect(files).to_contain_text("Nothing here yet.")
    visitor.page.route("**/uploads/?*", lambda route: route.abort())
    visitor.reload()
    expect(files).to_contain_text("the server cannot be reached")
