"""The owner's limits on the page: what is used, why a file is refused; a pause is not seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.client import Client
from tests.browser.clients.page import PAGE
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]


def page_with(**limits: str) -> Client:
    return replace(PAGE, environment={**PAGE.environment, **limits})


LIMITED = page_with(
    CHUNKED_UPLOAD_MAX_STORED_BYTES="300000",
    CHUNKED_UPLOAD_MAX_STORED_FILES="3",
    CHUNKED_UPLOAD_MAX_BYTES_PER_DAY="400000",
)

SLOW = page_with(CHUNKED_UPLOAD_MAX_REQUESTS_PER_SECOND="4")


def test_what_is_used_is_shown_and_a_refusal_says_what_is_left(visit: Visit) -> None:
    visitor = visit(LIMITED, viewport={"width": 340, "height": 900}, color_scheme="dark")
    line = visitor.page.locator(".cu-usage")
    expect(line).to_have_text("0 bytes of 300 kB stored · 0 of 3 files · 0 bytes of 400 kB today")
    assert visitor.shifts < 0.01, "the line had its place before the answer"

    visitor.upload(visitor.file("film.mp4", 200_000))
    expect(line).to_have_text("200 kB of 300 kB stored · 1 of 3 files · 200 kB of 400 kB today")
    assert violations(visitor.page) == []
    visitor.pick(visitor.file("large.bin", 150_000))
    visitor.expect_words("large.bin", "more than 300 kB; you have 100 kB left. Delete a file first")

    visitor.button("Delete film.mp4").click()
    visitor.answer("Delete")
    expect(line).to_contain_text("0 bytes of 300 kB stored · 0 of 3 files · 200 kB of")
    visitor.button("Retry large.bin").click()
    visitor.expect_state("large.bin", "done")
    visitor.pick(visitor.file("more.bin", 60_000))
    words = r"400 kB a day, and you have 50 kB left today\. The next day begins on \w"
    visitor.expect_words("more.bin", re.compile(words))
    visitor.expect_said(re.compile(words))


def test_after_refusals_the_next_files_begin(visit: Visit) -> None:
    """More are refused than are sent at a time."""
    visitor = visit(LIMITED)
    large = [visitor.file(f"large {n}.bin", 350_000) for n in range(4)]
    visitor.pick(*large, visitor.file("small.bin", 1000))
    visitor.expect_state("small.bin", "done")
    for file in large:
        visitor.expect_words(file.name, "more than 300 kB")
    expect(visitor.page.locator(".cu-summary")).to_contain_text("1 of 5 done · 4 failed")
    assert [(one["filename"], one["status"]) for one in visitor.listing()] == [("small.bin", 2)]


def test_without_limits_there_is_no_line_and_no_question(visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.reload()
    visitor.upload(visitor.file("film.mp4", 1000))
    visitor.button("Delete film.mp4").click()
    visitor.answer("Delete")
    expect(visitor.listed("film.mp4")).to_have_count(0)
    assert any(url.endswith("/account") for url in asked)
    assert not any(url.endswith("/quota") for url in asked)
    expect(visitor.page.locator(".cu-usage")).to_have_count(0)


#: Notes in the window what the page has told of a server's problem.
_WATCH = """() => {
    window.told = [];
    new MutationObserver(() => {
        if (/problem|too many/i.test(document.body.innerText)) told.push(document.body.innerText);
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def test_too_many_requests_are_repeated_unnoticed(visit: Visit) -> None:
    visitor = visit(SLOW)
    refused: list[str] = []
    visitor.page.on(
        "response", lambda answer: refused.append(answer.url) if answer.status == 429 else None
    )
    visitor.page.evaluate(_WATCH)
    visitor.upload(*(visitor.file(f"{n}.bin", 1000) for n in range(3)))
    assert refused
    assert visitor.page.evaluate("told") == []
