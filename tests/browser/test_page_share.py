"""Links to finished files: made, copied, passed on, revoked; and nothing of it where it is off."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.clients.page import PAGE
from tests.browser.test_page_access import LOOKS
from tests.browser.test_page_resuming import answer_with, begin
from tests.browser.visitor import Visitor

SHARING = replace(PAGE, environment={**PAGE.environment, "CHUNKED_UPLOAD_SHARE": "true"})

Visit = Callable[..., Visitor]


@pytest.fixture
def owner(visit: Visit) -> Visitor:
    """Somebody with a finished file, at a server that shares."""
    visitor = visit(SHARING, permissions=["clipboard-read", "clipboard-write"])
    visitor.page.add_init_script(
        """navigator.canShare = () => true;
        navigator.share = async (data) => void (window.passedOn = data);"""
    )
    visitor.have(visitor.file("film.mp4", 3000))
    return visitor


def test_a_link_is_made_copied_and_revoked(owner: Visitor, visit: Visit) -> None:
    owner.button("Share film.mp4").click()
    expect(owner.dialog()).to_contain_text("Anyone with the link can download the file")
    owner.page.get_by_label("A new link works for").select_option("24 hr")
    owner.button("Create link").click()
    expect(owner.dialog()).to_contain_text("The link is ready to copy.")
    expect(owner.dialog()).to_contain_text("expires in 24 hours")
    copy = re.compile(r"^Copy link, expires in 24 hours \(.*20\d\d.*\)$")
    expect(owner.button(copy)).to_be_focused()
    owner.page.keyboard.press("Enter")
    expect(owner.dialog()).to_contain_text("Link copied.")
    link = owner.page.evaluate("navigator.clipboard.readText()")
    owner.button(re.compile("^Share link with an app, expires in ")).click()
    assert owner.page.evaluate("passedOn") == {"title": "film.mp4", "url": link}

    stranger = visit(SHARING).context.request
    assert stranger.get(link).body() == (owner.directory / "film.mp4").read_bytes()

    owner.button("Close").click()
    expect(owner.button("Share film.mp4")).to_be_focused()
    owner.button("Share film.mp4").click()
    expect(owner.page.get_by_label("Link to film.mp4")).to_have_value(link)
    owner.button(re.compile("^Revoke link, expires in ")).click()
    expect(owner.dialog()).to_contain_text("Link revoked. It no longer works.")
    expect(owner.button("Create link")).to_be_focused()
    assert stranger.get(link).status == 410


def test_the_dialog_is_for_everybody(owner: Visitor) -> None:
    owner.button("Share film.mp4").click()
    owner.button("Create link").click()
    expect(owner.button(re.compile("^Revoke link, expires in "))).to_be_visible()
    for look in LOOKS.values():
        owner.page.emulate_media(color_scheme=look["color_scheme"], reduced_motion="reduce")
        owner.page.set_viewport_size(look.get("viewport", {"width": 1000, "height": 1400}))
        for direction in ("ltr", "rtl"):
            owner.page.evaluate("(to) => void (document.querySelector('.cu').dir = to)", direction)
            assert violations(owner.page) == [], (look, direction)
            assert owner.dialog().evaluate("one => one.scrollWidth <= one.clientWidth")


def test_what_fails_is_said_in_the_dialog(owner: Visitor) -> None:
    owner.button("Share film.mp4").click()
    owner.page.route("**/shares", answer_with(413, "An upload has at most 100 links"))
    owner.button("Create link").click()
    alert = owner.dialog().get_by_role("alert")
    expect(alert).to_have_text("This did not work: An upload has at most 100 links")
    owner.page.unroute_all()
    owner.page.evaluate("() => void (navigator.clipboard.writeText = () => Promise.reject())")
    owner.button("Create link").click()
    owner.button(re.compile("^Copy link, expires in 7 days [(].*20[0-9][0-9].*[)]$")).click()
    expect(owner.dialog()).to_contain_text("The link is selected")
    expect(alert).to_be_empty()


def test_where_sharing_is_off_nothing_is_offered(visitor: Visitor) -> None:
    visitor.have(visitor.file("film.mp4", 10))
    expect(visitor.page.get_by_label("Download film.mp4")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Share")).to_have_count(0)


def test_the_parts_of_a_row_lie_beside_each_other_on_a_narrow_screen(owner: Visitor) -> None:
    begin(owner)
    owner.page.set_viewport_size({"width": 320, "height": 1200})
    parts_lie_beside_each_other(owner, selecting=False)
    owner.button("Select files").click()
    expect(owner.page.locator(".cu-choose").first).to_be_visible()
    parts_lie_beside_each_other(owner, selecting=True)


def parts_lie_beside_each_other(owner: Visitor, *, selecting: bool) -> None:
    rows = owner.page.locator(".cu-row")
    expect(rows).to_have_count(2)
    overlapping = rows.evaluate_all(
        """rows => rows.flatMap((row) => {
            const parts = [...row.children].filter((one) => one.checkVisibility());
            const boxes = parts.map((one) => one.getBoundingClientRect());
            const isOver = (a, b) => a !== b && a.left < b.right && b.left < a.right &&
                a.top < b.bottom && b.top < a.bottom;
            return boxes.some((a) => boxes.some((b) => isOver(a, b))) ? [row.outerHTML] : [];
        })"""
    )
    assert overlapping == []
    done = owner.page.locator(".cu-row[data-kind=finished]")
    tops = "all => all.map((one) => one.getBoundingClientRect().top)"
    buttons = done.locator(".cu-actions > *").evaluate_all(tops)
    assert len(buttons) == 3
    assert len(set(buttons)) == 1, "the actions are in a row"
    assert done.locator(".cu-thumbnail").is_visible() != selecting
