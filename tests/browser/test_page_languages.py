"""The page in its eight languages: chosen by the browser, whole, accessible, from right to left."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import OF_WORDS, RULES, cut_off, violations
from tests.browser.test_page_access import LOOKS, look_at
from tests.browser.test_page_resuming import answer_with, begin
from tests.browser.test_page_share import SHARING
from tests.browser.test_page_signin import PRIVATE
from tests.browser.visitor import Visitor, chunks

Visit = Callable[..., Visitor]

LANGUAGES = sorted(path.stem for path in Path(__file__).parents[2].glob("static/page/texts/*.js"))


def texts_of(visitor: Visitor, language: str) -> dict[str, Any]:
    """Return the texts that the server has of a language."""
    load = "async (path) => (await import(path)).default"
    found: dict[str, Any] = visitor.page.evaluate(load, f"/uploads/static/page/texts/{language}.js")
    return found


def speak(visitor: Visitor, language: str) -> dict[str, Any]:
    """Load the page in a language, and return its texts."""
    visitor.prefer(language)
    visitor.page.goto(visitor.site.url + "/")
    expect(visitor.page.locator(".cu")).to_have_attribute("lang", re.compile(rf"^{language}\b"))
    return texts_of(visitor, language)


@pytest.mark.parametrize(
    ("locale", "language", "direction"),
    [("de-AT", "de", "ltr"), ("ar-EG", "ar", "rtl"), ("tlh", "en", "ltr")],
)
def test_the_browser_decides(visit: Visit, locale: str, language: str, direction: str) -> None:
    visitor = visit(locale=locale)
    root = visitor.page.locator("html")
    expect(root).to_have_attribute("dir", direction)
    assert root.get_attribute("lang") == (locale if language != "en" else "en")
    texts = texts_of(visitor, language)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(texts["heading"])
    assert visitor.page.title() == texts["heading"]
    loaded = """performance.getEntriesByType("resource").map(({name}) => name)"""
    names = re.findall(r"/page/texts/(\w+)\.js", " ".join(visitor.page.evaluate(loaded)))
    assert set(names) == {language}, "only one language is loaded"


def crowd(visitor: Visitor) -> None:
    """Bring a file into each state that a row can have."""
    visitor.page.route("**/complete", answer_with(400, "md5 checksum does not match"))
    visitor.pick(visitor.file("failed.bin", 1000))
    visitor.expect_state("failed.bin", "failed")
    visitor.page.unroute("**/complete")
    visitor.page.route("**/uploads/", answer_with(507, "Storage is full"))
    visitor.pick(visitor.file("waiting.bin", 1000))
    visitor.expect_state("waiting.bin", "waiting")
    visitor.page.unroute("**/uploads/")
    # Of this file: the one that waits is tried again meanwhile.
    visitor.hold_chunk(1, of="uploading.bin")
    visitor.pick(visitor.file("uploading.bin", chunks(3)), visitor.file("setup.exe", 10))
    visitor.expect_state("uploading.bin", "uploading")
    visitor.expect_state("setup.exe", "failed")


def test_every_language_is_accessible_and_fits(visit: Visit) -> None:
    """One visitor, whose files stay: in each language every state at once, and a question.

    Looked at where there is the least space; with much of it, once for each direction.
    """
    visitor = visit(reduced_motion="reduce")
    visitor.upload(visitor.file("film.mp4", 1000), visitor.file("صورة.jpg", 1000))
    begin(visitor)
    for language in LANGUAGES:
        texts = speak(visitor, language)
        crowd(visitor)
        for look in ([LOOKS["light"]] if language in ("ar", "en") else []) + [LOOKS["narrow"]]:
            look_at(visitor.page, look)
            found = violations(visitor.page, rules=RULES.get(language, OF_WORDS))
            assert found == [], (language, look)
        assert cut_off(visitor.page) == [], language
        visitor.button(texts["cancelAll"]).click()
        expect(visitor.dialog()).to_be_visible()
        assert violations(visitor.page, rules=RULES.get(language, OF_WORDS)) == [], language
        assert cut_off(visitor.page) == [], language
        visitor.answer(texts["cancelAllConfirm"])


def test_every_dialog_is_accessible_and_fits_in_every_language(visit: Visit) -> None:
    """On a narrow, dark screen; one page, whose dialogs are opened one after the other."""
    narrow = {"viewport": {"width": 320, "height": 900}, "color_scheme": "dark"}
    visitor = visit(SHARING, reduced_motion="reduce", **narrow)
    visitor.upload(visitor.file("photo.jpg", 1000))
    begin(visitor)
    longer = visitor.file("film.mp4", chunks(4) + 1000)
    stranger = visit(PRIVATE, reduced_motion="reduce", **narrow)
    for language in LANGUAGES:
        texts = speak(visitor, language)
        share, _, delete = visitor.page.locator(".cu-row[data-kind=finished] .cu-actions > *").all()
        share.click()
        visitor.button(texts["shareCreate"]).click()
        expect(visitor.dialog().get_by_role("textbox").last).to_be_visible()
        assert_fine(visitor, language, ".cu-dialog")
        for opens in (delete, visitor.button(texts["resumeAllUnfinished"])):
            visitor.page.keyboard.press("Escape")
            expect(visitor.dialog()).to_be_hidden()
            opens.click()
            assert_fine(visitor, language, ".cu-dialog")
        visitor.page.keyboard.press("Escape")
        with visitor.page.expect_file_chooser() as chooser:
            visitor.page.locator("[data-kind=unfinished] .cu-actions > .cu-button").click()
        chooser.value.set_files(longer)
        assert_fine(visitor, language, ".cu-dialog")
        visitor.page.keyboard.press("Escape")
        visitor.button(texts["choose"]).click()
        expect(visitor.page.locator(".cu-choose").first).to_be_visible()
        assert_fine(visitor, language, ".cu-files")
        speak(stranger, language)
        expect(stranger.dialog()).to_be_visible()
        assert_fine(stranger, language, ".cu-dialog")


def assert_fine(visitor: Visitor, language: str, part: str) -> None:
    expect(visitor.page.locator(part)).to_be_visible()
    found = violations(visitor.page, part, rules=RULES.get(language, OF_WORDS))
    assert found == [], (language, part)
    assert cut_off(visitor.page) == [], (language, part)


def test_arabic_runs_from_right_to_left(visit: Visit) -> None:
    """Bars grow from the right, names keep their own direction, rows begin at the right."""
    visitor = visit(locale="ar")
    visitor.hold_chunk(1)
    visitor.pick(visitor.file("film (1).mp4", chunks(3)))
    visitor.expect_state("film (1).mp4", "uploading")
    row = visitor.row("film (1).mp4")
    sides = """row => {
        const side = (one) => one.getBoundingClientRect().right;
        return ["img, .cu-badge, .cu-thumbnail", ".cu-name", ".cu-actions"]
            .map((selector) => row.querySelector(selector)).filter(Boolean).map(side);
    }"""
    rights = row.evaluate(sides)
    assert rights == sorted(rights, reverse=True)
    name = row.locator(".cu-name")
    assert name.evaluate("one => getComputedStyle(one).direction") == "ltr"
    # It is in the names of buttons as the user knows it, whatever runs around it.
    pause = row.get_by_role("button").first.get_attribute("aria-label")
    assert pause is not None
    assert "\u2068film (1).mp4\u2069" in pause
