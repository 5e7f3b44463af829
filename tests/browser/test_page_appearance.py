"""The operator's title, logo and colour as people see them; and a link that does not work."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.accessibility import violations
from tests.browser.clients.page import PAGE
from tests.browser.test_page_access import LOOKS, RULES, empty, look_at, uploading
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]

#: Too light for white words and too light on white; the page must mend both.
YELLOW = "#ffd500"

LOGO = Path(__file__).parents[2] / "static" / "page" / "icon.svg"

OURS = replace(
    PAGE,
    environment={
        **PAGE.environment,
        "CHUNKED_UPLOAD_PAGE_TITLE": "Files for the archive",
        "CHUNKED_UPLOAD_PAGE_LOGO": LOGO.as_uri(),
        "CHUNKED_UPLOAD_PAGE_ACCENT": YELLOW,
    },
)

BACKGROUND = "(one) => getComputedStyle(one).backgroundColor"


def test_title_logo_and_colour(visit: Visit) -> None:
    visitor = visit(OURS)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Files for the archive")
    expect(visitor.page).to_have_title("Files for the archive")
    logo = visitor.page.locator(".cu-logo")
    assert logo.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
    button = visitor.button("Choose files")
    red, green, blue = map(int, re.findall(r"\d+", button.evaluate(BACKGROUND)))
    assert red > green > blue  # a dark yellow
    assert visitor.shifts == 0


def test_axe_finds_nothing_in_any_colour(visit: Visit) -> None:
    visitor = visit(OURS, reduced_motion="reduce")
    for state in (empty, uploading):
        look_at(visitor.page, LOOKS["light"])
        state(visitor)
        for name, look in LOOKS.items():
            look_at(visitor.page, look)
            assert violations(visitor.page, rules=RULES[name]) == [], (state, name)


def nearly_english(route: Route) -> None:
    """Answer with texts of the page that differ from those of the document."""
    response = route.fetch()
    text = response.text().replace("This link is not valid", "This link is good for nothing")
    route.fulfill(response=response, body=text)


def test_a_link_that_does_not_work_says_so_on_a_page(visit: Visit) -> None:
    visitor = visit()
    visitor.page.route("**/page/texts/en.js", nearly_english)
    with visitor.page.expect_response("**/shared/*") as answer:
        visitor.page.goto(f"{visitor.site.url}/uploads/shared/nonsense")
    assert answer.value.status == 404
    expect(visitor.page.get_by_role("heading")).to_have_text("This link is good for nothing")
    expect(visitor.page).to_have_title("This link is good for nothing")
    expect(visitor.page.get_by_role("paragraph")).to_contain_text("Copy the whole link again.")
    for name, look in LOOKS.items():
        look_at(visitor.page, look)
        assert violations(visitor.page, rules=RULES[name]) == [], name
    visitor.complaints.clear()  # the console has the 404
