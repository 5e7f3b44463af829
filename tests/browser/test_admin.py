"""The admin page in Chromium: signing in, the list, one upload's life, what can be done to it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import violations
from tests.browser.test_page_access import LOOKS, RULES, look_at
from tests.browser.visitor import PATIENCE
from tests.server.client import call, content_range
from tests.support.server import Server
from tests.support.tabs import Browser

TOKEN = f"chup_{'a' * 43}"

Open = Callable[..., Page]


def create_admin_token(server: Server) -> None:
    """Have an admin token, as ``create-token ops --scope admin`` makes one."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    path = server.instance / "chunked_upload.db"
    with closing(sqlite3.connect(path, timeout=60)) as database, database:
        database.execute(
            "INSERT OR IGNORE INTO chunked_upload_token (name, digest, scopes, created_on)"
            " VALUES ('ops', ?, 'admin', '2026-01-01 00:00:00')",
            [digest],
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("admin")) as running:
        assert call(running, "GET", "/admin").status == 404
        create_admin_token(running)
        yield running


@pytest.fixture(autouse=True)
def _stored(server: Server) -> None:
    """Two files and an unfinished upload, and nothing else."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for one in call(server, "GET", "/admin/uploads", headers=headers).json["uploads"]:
        call(server, "DELETE", f"/uploads/{one['upload_id']}")
    for name in ("film.mp4", "lecture.pdf"):
        assert call(server, "PUT", f"/uploads/{name}", name.encode()).status == 200
    half = content_range(0, b"half", 8)
    assert call(server, "POST", "/uploads/?filename=half.iso", b"half", half).status == 200


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Open the admin page; keywords are the browser context's. Nothing may be amiss in it."""
    complaints: list[str] = []

    def note(message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def go(**options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        page.goto(f"{server.url}/admin")
        return page

    yield go
    assert complaints == []


def sign_in(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def signed_in(page: Page) -> Page:
    sign_in(page)
    expect(page.get_by_role("row")).to_have_count(4)
    return page


def button(within: Page | Locator, name: str) -> Locator:
    return within.get_by_role("button", name=name, exact=True)


def test_only_an_admin_token_opens_it(open_page: Open) -> None:
    page = open_page()
    sign_in(page, "guessed")
    expect(page.get_by_role("dialog")).to_contain_text("The server does not accept this token.")
    expect(page.get_by_text("film.mp4")).to_have_count(0)
    signed_in(page)
    expect(page.get_by_text("Signed in as ops")).to_be_visible()
    expect(page.get_by_text("2 uploads")).to_be_visible()
    button(page, "Sign out").click()
    expect(page.get_by_text("film.mp4")).to_be_hidden()


def test_it_is_accessible_however_it_is_looked_at(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    signed_in(page)
    expect(page.get_by_text("By storage")).to_be_visible()
    page.get_by_label("Select film.mp4").check()
    assert_accessible(page)
    button(page, "film.mp4").click()
    expect(page.get_by_role("dialog")).to_contain_text("checksums")
    assert_accessible(page)


def assert_accessible(page: Page) -> None:
    for name, look in LOOKS.items():
        look_at(page, look)
        assert violations(page, rules=RULES[name]) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_filters_work_with_the_keyboard_and_stay_in_the_address(open_page: Open) -> None:
    page = signed_in(open_page())
    page.get_by_label("Name or id").fill("half")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    assert page.url.endswith("/admin?search=half")
    page.reload()
    expect(page.get_by_role("row")).to_have_count(2)
    button(page, "Clear filters").click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_label("At least (1G)").fill("big")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("it must be a number of bytes")


def test_one_upload_is_shown_and_the_focus_comes_back(open_page: Open) -> None:
    page = signed_in(open_page())
    name = button(page, "half.iso").last
    name.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("write_lease")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(name).to_be_focused()


def test_several_are_deleted_after_a_question(open_page: Open) -> None:
    page = signed_in(open_page())
    page.get_by_label("Select film.mp4").check()
    page.get_by_label("Select lecture.pdf").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    button(page, "Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 2 uploads?")
    expect(button(dialog, "Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(4)
    button(page, "Delete").click()
    button(dialog, "Delete").click()
    expect(page.get_by_text("film.mp4: deleted 'film.mp4', 8 bytes")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)


def test_files_are_verified_and_uploads_extended(open_page: Open, server: Server) -> None:
    page = signed_in(open_page())
    page.get_by_label("Select film.mp4").check()
    button(page, "Verify").click()
    said = page.get_by_text("film.mp4: the file is as its record says (md5)")
    expect(said).to_be_visible()
    [path] = server.root.rglob("*lecture*.pdf")
    path.write_bytes(b"LECTURE.PDF")
    page.get_by_label("Select film.mp4").uncheck()
    page.get_by_label("Select lecture.pdf").check()
    button(page, "Verify").click()
    expect(page.get_by_text("lecture.pdf: its md5 differs from the record's")).to_be_visible()
    page.get_by_label("Select lecture.pdf").uncheck()
    page.get_by_label("Select half.iso").check()
    button(page, "Extend").click()
    page.get_by_label("Time", exact=True).fill("30d")
    page.keyboard.press("Enter")
    expect(page.get_by_text("half.iso: expires")).to_be_visible()
