"""The page where callers must be known: by a token, or by the app around it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from chunked_upload.http.access.callers import hash_token
from tests.browser.clients.page import PAGE
from tests.browser.visitor import Visitor, chunks

TOKEN = "only-for-tests"
PRIVATE = replace(
    PAGE,
    environment={**PAGE.environment, "CHUNKED_UPLOAD_TOKENS": f"alice:{hash_token(TOKEN)}"},
)


@pytest.fixture
def stranger(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody at a page that wants a token."""
    return visit(PRIVATE)


def sign_in(visitor: Visitor, token: str = TOKEN) -> None:
    visitor.page.get_by_label("Token", exact=True).fill(token)
    visitor.dialog().get_by_role("button", name="Sign in").click()


def test_the_token_is_asked_for_at_once_and_explained(stranger: Visitor) -> None:
    expect(stranger.dialog()).to_contain_text("Sign in with your token")
    expect(stranger.dialog()).to_contain_text("kept in this tab until you close it")
    expect(stranger.page.get_by_label("Token", exact=True)).to_be_focused()
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    expect(stranger.page.locator(".cu-files")).to_contain_text("Nothing here yet.")


def test_a_wrong_token_is_said_to_be_wrong(stranger: Visitor) -> None:
    sign_in(stranger, "guessed")
    expect(stranger.dialog()).to_contain_text("The server does not accept this token.")
    expect(stranger.page.get_by_label("Token", exact=True)).to_be_focused()
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()


def test_it_is_kept_over_a_reload_and_forgotten_when_signing_out(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    stranger.reload()
    expect(stranger.dialog()).to_be_hidden()
    expect(stranger.page.locator(".cu-files")).to_contain_text("Nothing here yet.")
    stranger.button("Sign out").click()
    expect(stranger.page.locator(".cu-files")).to_contain_text("Sign in to see your uploads.")
    stranger.reload()
    expect(stranger.dialog()).to_contain_text("Sign in with your token")


def test_a_file_that_curl_sent_with_the_token_is_on_the_list(
    stranger: Visitor, tmp_path: Path
) -> None:
    """As the README says: with a token, curl and the page are one caller."""
    (tmp_path / "from curl.mp4").write_bytes(b"hello")
    token = f"Authorization: Bearer {TOKEN}"
    command = [
        "curl",
        "-sSf",
        "-H",
        token,
        "-T",
        "./from curl.mp4",
        f"{stranger.site.url}/uploads/",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    sign_in(stranger)
    expect(stranger.page.locator(".cu-files .cu-row")).to_contain_text("from curl.mp4")


def test_another_tab_does_not_see_it(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    other = stranger.new_page()
    other.goto(stranger.site.url + "/")
    expect(other.get_by_role("dialog")).to_contain_text("Sign in with your token")


def test_files_picked_before_signing_in_are_kept(stranger: Visitor) -> None:
    stranger.dialog().get_by_role("button", name="Not now").click()
    stranger.pick(stranger.file("film.mp4", 1000))
    expect(stranger.dialog()).to_be_visible()
    sign_in(stranger)
    stranger.expect_state("film.mp4", "done")


def test_signing_in_while_a_request_without_the_token_is_under_way(stranger: Visitor) -> None:
    stranger.dialog().get_by_role("button", name="Not now").click()
    under_way: list[Route] = []
    stranger.page.route("**/uploads/?file=*", lambda route: under_way.append(route), times=1)
    with stranger.page.expect_request("**/uploads/?file=*"):
        stranger.pick(stranger.file("film.mp4", 1000))
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    under_way[0].continue_()  # and is refused
    stranger.expect_state("film.mp4", "done")


def test_a_lost_sign_in_keeps_the_file_and_asks(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    refusal = {"detail": "Authentication credentials were not provided"}
    held = stranger.hold_chunk(1)
    stranger.pick(stranger.file("film.mp4", chunks(3)))
    held.wait()
    known = re.compile(r"/uploads/[0-9a-f]{32}$")
    stranger.page.route(known, lambda route: route.fulfill(status=403, json=refusal))
    held.release()
    expect(stranger.dialog()).to_contain_text("The server no longer accepts your token.")
    stranger.expect_words("film.mp4", "You are signed out. The uploaded part is safe")
    stranger.page.unroute_all()
    sign_in(stranger)
    stranger.expect_state("film.mp4", "done")


def test_downloads_carry_the_token(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    file = stranger.file("saved.bin", 5000)
    stranger.upload(file)
    with stranger.page.expect_download() as download:
        stranger.button("Download saved.bin").click()
    assert download.value.suggested_filename == "saved.bin"
    assert download.value.path().read_bytes() == file.read_bytes()


#: Stands in for the browser's dialog; what is written can be read from ``window.written``.
_SAVE = """
() => void (window.showSaveFilePicker = async ({suggestedName}) => {
    const folder = await navigator.storage.getDirectory();
    window.target = await folder.getFileHandle(suggestedName, {create: true});
    return window.target;
})
"""
_WRITTEN = "async () => [...new Uint8Array(await (await target.getFile()).arrayBuffer())]"


def test_where_the_browser_can_they_are_written_straight_to_the_disk(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    file = stranger.file("written.bin", 5000)
    stranger.upload(file)
    stranger.page.evaluate(_SAVE)
    stranger.button("Download written.bin").click()
    stranger.expect_said("Downloading written.bin")
    expect(stranger.button("Download written.bin")).to_be_enabled()
    stranger.page.wait_for_function("async () => (await target.getFile()).size === 5000")
    assert bytes(stranger.page.evaluate(_WRITTEN)) == file.read_bytes()


def test_a_download_that_fails_says_why(stranger: Visitor) -> None:
    sign_in(stranger)
    expect(stranger.dialog()).to_be_hidden()
    stranger.upload(stranger.file("lost.bin", 5000))
    gone = {"detail": "Upload not found"}
    stranger.page.route("**/file", lambda route: route.fulfill(status=404, json=gone))
    stranger.button("Download lost.bin").click()
    expect(stranger.page.get_by_role("alert")).to_contain_text(
        "lost.bin cannot be downloaded now: Upload not found"
    )


def test_an_app_signs_its_people_in_itself(visitor: Visitor) -> None:
    visitor.configure(signIn={"with": "app", "url": "/login"})
    refusal = {"detail": "Authentication credentials were not provided"}
    visitor.page.route("**/uploads/?*", lambda route: route.fulfill(status=403, json=refusal))
    visitor.reload()
    expect(visitor.page.locator(".cu-files")).to_contain_text("Sign in to see your uploads.")
    visitor.pick(visitor.file("film.mp4", 1000))
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("Sign in in another tab and come back: your uploads will resume.")
    expect(alert.get_by_role("link", name="Sign in")).to_have_attribute("href", "/login")
