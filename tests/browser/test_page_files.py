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
    visitor.upload(*(visitor.file(f"{n}.bin", 1000 + n) for n in range(3)))
    visitor.reload()
    return visitor


def test_nothing_yet(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-files")).to_contain_text("Nothing here yet.")


def test_finished_uploads_are_listed_newest_first(owner: Visitor) -> None:
    rows = owner.page.locator(".cu-files .cu-row")
    expect(rows).to_have_count(3)
    names = [upload["filename"] for upload in owner.listing()]
    titles = "names => names.map((name) => name.title)"
    assert owner.page.locator(".cu-files .cu-name").evaluate_all(titles) == names
    expect(owner.listed("1.bin")).to_contain_text("1 kB")
    expect(owner.listed("1.bin")).to_contain_text(md5_of((owner.directory / "1.bin").read_bytes()))


def test_the_md5_is_copied(owner: Visitor) -> None:
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner.button("Copy the MD5 of 1.bin").click()
    owner.expect_said("Copied the MD5 of 1.bin")
    copied = owner.page.evaluate("navigator.clipboard.readText()")
    assert copied == md5_of((owner.directory / "1.bin").read_bytes())


def test_where_the_server_keeps_sha256_alone_it_is_shown_and_copied(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit(replace(PAGE, environment={"CHUNKED_UPLOAD_CHECKSUMS": "sha256"}))
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    file = visitor.file("film.mp4", 1000)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    visitor.upload(file)
    expect(visitor.row("film.mp4")).to_contain_text(f"SHA-256 {sha256}")
    visitor.button("Copy the SHA-256 of film.mp4").click()
    visitor.expect_said("Copied the SHA-256 of film.mp4")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == sha256


def test_where_copying_is_forbidden_the_md5_is_shown(owner: Visitor) -> None:
    owner.page.evaluate("() => void (navigator.clipboard.writeText = async () => Promise.reject())")
    owner.button("Copy the MD5 of 1.bin").click()
    md5 = md5_of((owner.directory / "1.bin").read_bytes())
    expect(owner.page.get_by_role("alert")).to_contain_text(md5)


def test_a_file_is_downloaded(owner: Visitor) -> None:
    with owner.page.expect_download() as download:
        owner.page.get_by_role("link", name="Download 1.bin").click()
    assert download.value.suggested_filename == "1.bin"
    assert download.value.path().read_bytes() == (owner.directory / "1.bin").read_bytes()


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


def test_when_the_last_is_deleted_the_page_says_so(visitor: Visitor) -> None:
    visitor.upload(visitor.file("only.bin", 10))
    visitor.button("Clear the list").click()
    visitor.button("Delete only.bin").click()
    visitor.answer("Delete")
    expect(visitor.page.locator(".cu-files")).to_contain_text("Nothing here yet.")
    expect(visitor.button("Choose files")).to_be_focused()


def test_a_file_that_is_gone_already_is_taken_off_the_list(owner: Visitor) -> None:
    [upload] = [upload for upload in owner.listing() if upload["filename"] == "1.bin"]
    owner.context.request.delete(f"{owner.site.url}/uploads/{upload['upload_id']}")
    owner.button("Delete 1.bin").click()
    owner.answer("Delete")
    expect(owner.listed("1.bin")).to_have_count(0)
    expect(owner.page.get_by_role("alert")).to_be_empty()


def test_many_come_in_pages(visitor: Visitor) -> None:
    visitor.upload(*(visitor.file(f"{n}.bin", 10) for n in range(7)))
    visitor.button("Clear the list").click()
    rows = visitor.page.locator(".cu-files .cu-row")
    pager = visitor.page.get_by_role("navigation", name="Pages of finished uploads")
    expect(rows).to_have_count(5)
    expect(pager).to_contain_text("Page 1 of 2")
    first = set(rows.all_inner_texts())
    visitor.button("Older").click()
    expect(pager).to_contain_text("Page 2 of 2")
    expect(rows).to_have_count(2)
    assert not first & set(rows.all_inner_texts())
    expect(visitor.button("Older")).to_be_disabled()
    expect(visitor.button("Older")).to_be_focused()  # the reader's place is kept
    visitor.button("Newer").click()
    expect(pager).to_contain_text("Page 1 of 2")
    expect(visitor.button("Newer")).to_be_disabled()


def test_a_page_that_becomes_empty_gives_way_to_the_one_before(visitor: Visitor) -> None:
    visitor.upload(*(visitor.file(f"{n}.bin", 10) for n in range(6)))
    visitor.button("Clear the list").click()
    visitor.button("Older").click()
    rows = visitor.page.locator(".cu-files .cu-row")
    expect(rows).to_have_count(1)
    name = visitor.first_listed()
    visitor.button(f"Delete {name}").click()
    visitor.answer("Delete")
    expect(rows).to_have_count(5)


def test_a_list_that_cannot_be_had_is_asked_for_again(visitor: Visitor) -> None:
    refusal = {"detail": "Database does not answer"}
    visitor.page.route("**/uploads/?*", lambda route: route.fulfill(status=503, json=refusal))
    visitor.reload()
    files = visitor.page.locator(".cu-files")
    expect(files).to_contain_text("Your uploads cannot be listed now: Database does not answer")
    visitor.page.unroute_all()
    visitor.button("Try again").click()
    expect(files).to_contain_text("Nothing here yet.")


def test_without_a_network_the_list_says_so(visitor: Visitor) -> None:
    visitor.page.route("**/uploads/?*", lambda route: route.abort())
    visitor.reload()
    expect(visitor.page.locator(".cu-files")).to_contain_text("the server cannot be reached")
