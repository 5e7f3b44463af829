"""Who is signed in, a sign-in for the whole browser, a sign-out that stops everything."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from chunked_upload.http.access.callers import hash_token
from tests.browser.accessibility import violations
from tests.browser.clients.page import PAGE
from tests.browser.test_page_signin import TOKEN, sign_in
from tests.browser.visitor import Visitor, chunks

ADAS = replace(
    PAGE, environment={**PAGE.environment, "CHUNKED_UPLOAD_TOKENS": f"ada:{hash_token(TOKEN)}"}
)


#: Two people at one browser.
BOBS_TOKEN = "another-for-tests"
TWO = replace(
    PAGE,
    environment={
        **PAGE.environment,
        "CHUNKED_UPLOAD_TOKENS": f"ada:{hash_token(TOKEN)},bob:{hash_token(BOBS_TOKEN)}",
    },
)


@pytest.fixture
def stranger(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody at a page that wants a token."""
    return visit(ADAS)


def second_tab(visitor: Visitor) -> Page:
    page = visitor.new_page()
    page.goto(visitor.site.url + "/")
    return page


def account(page: Page) -> str:
    return page.locator(".cu-account").inner_text()


def sign_in_for_the_browser(visitor: Visitor) -> None:
    visitor.page.get_by_label("Stay signed in on this browser").check()
    expect(visitor.dialog()).to_contain_text("kept in this browser, for all tabs")
    sign_in(visitor)
    expect(visitor.dialog()).to_be_hidden()


def test_the_page_says_who_is_signed_in(stranger: Visitor) -> None:
    assert "Signed in" not in account(stranger.page)
    sign_in(stranger)
    shown = stranger.page.locator(".cu-account")
    expect(shown).to_contain_text("Signed in as ada")
    stranger.reload()
    expect(shown).to_contain_text("Signed in as ada")
    stranger.button("Sign out").click()
    expect(shown).not_to_contain_text("ada")


def test_where_files_sent_with_curl_are(stranger: Visitor, tmp_path: Path) -> None:
    """The command on the page works as it stands, and what it sends appears."""
    sign_in(stranger)
    stranger.page.get_by_text("Where are files sent with curl?").click()
    command = stranger.page.locator(".cu-help code").inner_text()
    (tmp_path / "photo.jpg").write_bytes(b"not really")
    subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "TOKEN": TOKEN},
        check=True,
        capture_output=True,
        timeout=60,
    )
    stranger.reload()
    expect(stranger.page.get_by_title("photo.jpg", exact=True)).to_be_visible()


def test_without_tokens_the_page_says_why_they_are_not_listed(visitor: Visitor) -> None:
    visitor.page.get_by_text("Where are files sent with curl?").click()
    shown = visitor.page.locator(".cu-help")
    expect(shown).to_contain_text("without a token the server cannot tell that they are yours")
    expect(shown.locator("code")).to_have_text(f"curl -T photo.jpg {visitor.site.url}/uploads/")
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(visitor.page) == []


def test_nobody_signs_in_where_nobody_needs_to(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-account")).to_be_hidden()


def test_a_sign_in_for_the_browser_holds_in_every_tab(stranger: Visitor) -> None:
    before = second_tab(stranger)
    expect(before.get_by_role("dialog")).to_be_visible()
    sign_in_for_the_browser(stranger)
    expect(before.get_by_role("dialog")).to_be_hidden()
    expect(before.locator(".cu-account")).to_contain_text("Signed in as ada")
    after = second_tab(stranger)
    expect(after.locator(".cu-account")).to_contain_text("Signed in as ada")
    after.get_by_role("button", name="Sign out").click()
    for page in (stranger.page, before, after):
        expect(page.get_by_role("button", name="Sign in", exact=True).first).to_be_visible()
        expect(page.locator(".cu-account")).not_to_contain_text("ada")
    stored = "() => [localStorage, sessionStorage].map((storage) => JSON.stringify(storage)).join()"
    assert TOKEN not in stranger.page.evaluate(stored)


def test_signing_out_stops_what_is_under_way_in_every_tab(stranger: Visitor) -> None:
    sign_in_for_the_browser(stranger)
    other = second_tab(stranger)
    stopped: list[str] = []

    def note(request: Request) -> None:
        stopped.append(request.method)

    stranger.page.on("requestfailed", note)
    held = stranger.hold_chunk(1)
    stranger.pick(stranger.file("film.mp4", chunks(3)))
    held.wait()
    other.get_by_role("button", name="Sign out").click()
    expect(stranger.row("film.mp4")).to_have_count(0)
    stranger.page.wait_for_timeout(50)
    assert len(stopped) == 1, "the request was cut off"
    held.release()
    sent = len(stranger.site.proxy.chunks)
    expect(stranger.button("Sign in").first).to_be_visible()
    assert len(stranger.site.proxy.chunks) == sent


def test_another_user_of_the_browser_sees_and_resumes_nothing_of_the_first(
    visit: Callable[..., Visitor],
) -> None:
    """What was begun, queued and finished is there again for the first one."""
    visitor = visit(TWO)
    sign_in(visitor)
    visitor.upload(visitor.file("finished.mp4", 1000))
    # Not its first one, or nothing of it may have arrived when the button is reached.
    held = visitor.hold_chunk(1, of="begun.mp4")
    files = [visitor.file("begun.mp4", chunks(5))]
    files += [visitor.file(f"{name}.mp4", chunks(3)) for name in ("second", "third", "queued")]
    visitor.pick(*files)
    held.wait()
    visitor.button("Sign out").click()
    page = visitor.page.locator(".cu")
    expect(page).to_contain_text("Sign in to see your uploads.")
    expect(page).not_to_contain_text(re.compile(r"begun|second|queued|finished\.mp4"))
    held.release()

    visitor.button("Sign in").first.click()
    sign_in(visitor, BOBS_TOKEN)
    expect(page).to_contain_text("Signed in as bob")
    expect(page).to_contain_text("Nothing here yet.")
    visitor.upload(files[0])
    expect(visitor.row("begun.mp4")).not_to_contain_text("Resumed")
    visitor.reload()
    expect(visitor.group("Done")).to_have_count(1)
    expect(page).not_to_contain_text(re.compile(r"second|queued|finished\.mp4"))
    visitor.button("Sign out").click()

    visitor.button("Sign in").first.click()
    sign_in(visitor)
    expect(visitor.listed("finished.mp4")).to_be_visible()
    expect(visitor.listed("queued.mp4")).to_be_visible()
    expect(visitor.listed("begun.mp4")).to_contain_text("%")
    visitor.pick_again("Choose the file begun.mp4 again to resume", files[0])
    visitor.expect_state("begun.mp4", "done")
    visitor.expect_words("begun.mp4", "Resumed")


def test_a_token_that_runs_out_at_the_very_end(stranger: Visitor) -> None:
    """Every byte is there: after signing in again only the completion is asked for."""
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    over = {"detail": "Authentication credentials were not provided"}

    def refuse(route: Route) -> None:
        route.fulfill(status=403, json=over)

    stranger.page.route("**/uploads/complete", refuse, times=1)
    file = stranger.file("film.mp4", chunks(2))
    stranger.pick(file)
    expect(stranger.dialog()).to_contain_text("The server no longer accepts your token")
    stranger.expect_words("film.mp4", "The uploaded part is safe; sign in to resume.")
    sent = len(stranger.site.proxy.chunks)
    sign_in(stranger)
    stranger.expect_state("film.mp4", "done")
    assert len(stranger.site.proxy.chunks) == sent
