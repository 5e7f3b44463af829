"""The page in its eight languages: chosen by the browser, whole, accessible, from right to left."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import OF_WORDS, RULES, cut_off, violations
from tests.browser.test_page_access import LOOKS, calm, close_dialog, crowd, look_at
from tests.browser.test_page_resuming import begin
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


#: Where there is the least space.
NARROW = {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}


def test_every_language_is_accessible_and_fits(visit: Visit) -> None:
    """In each language every state and dialog, on one page; and the one where one signs in."""
    visitor = visit(SHARING, **NARROW)
    visitor.have(visitor.file("photo.jpg", 1000), visitor.file("صورة.jpg", 1000))
    begin(visitor)
    stranger = visit(PRIVATE, **NARROW)
    for language in LANGUAGES:
        texts = speak(visitor, language)
        look_at_dialogs(visitor, language, texts)
        look_at_states(visitor, language, texts)
        speak(stranger, language)
        expect(stranger.dialog()).to_be_visible()
        assert_fine(stranger, language, ".cu-dialog")


def look_at_states(visitor: Visitor, language: str, texts: dict[str, Any]) -> None:
    """With much space, too, once for each direction."""
    crowd(visitor)
    if language in RULES:
        look_at(visitor.page, LOOKS["light"])
        assert_fine(visitor, language, "html", width=1000)
        look_at(visitor.page, NARROW)
    assert_fine(visitor, language, "html")
    visitor.button(texts["cancelAll"]).click()
    assert_fine(visitor, language, ".cu-dialog")
    visitor.answer(texts["cancelAllConfirm"])
    calm(visitor)


def look_at_dialogs(visitor: Visitor, language: str, texts: dict[str, Any]) -> None:
    """Opened one after the other."""
    finished = visitor.page.locator(".cu-row[data-kind=finished]").first
    share, _, delete = finished.locator(".cu-actions > *").all()
    share.click()
    visitor.button(texts["shareCreate"]).click()
    expect(visitor.dialog().get_by_role("textbox").last).to_be_visible()
    assert_fine(visitor, language, ".cu-dialog")
    for opens in (delete, visitor.button(texts["resumeAllUnfinished"])):
        close_dialog(visitor)
        opens.click()
        assert_fine(visitor, language, ".cu-dialog")
    close_dialog(visitor)
    longer = visitor.file("film.mp4", chunks(4) + 1000)
    with visitor.page.expect_file_chooser() as chooser:
        visitor.page.locator("[data-kind=unfinished] .cu-actions > .cu-button").click()
    chooser.value.set_files(longer)
    assert_fine(visitor, language, ".cu-dialog")
    close_dialog(visitor)
    visitor.button(texts["choose"]).click()
    expect(visitor.page.locator(".cu-choose").first).to_be_visible()
    assert_fine(visitor, language, ".cu-files")
    visitor.button(texts["chooseEnd"]).click()


def assert_fine(visitor: Visitor, language: str, part: str, *, width: int = 320) -> None:
    expect(visitor.page.locator(part)).to_be_visible()
    found = violations(visitor.page, part, rules=RULES.get(language, OF_WORDS))
    assert found == [], (language, part)
    assert cut_off(visitor.page, width) == [], (language, part)


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
