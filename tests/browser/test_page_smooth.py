"""The page keeps still and keeps up: no layout shift, many files, every word in one place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.visitor import Visitor, chunks

TEXTS = Path(__file__).parents[2] / "static" / "page" / "texts" / "en.js"

#: Layout shift that nobody sees: the tenth of what counts as good (web.dev, CLS).
UNSEEN = 0.01


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody new at the page, in which all moves that may."""
    return visit(reduced_motion="no-preference")


def test_nothing_moves_by_itself(visitor: Visitor) -> None:
    """From loading to done: rows and numbers change in their places."""
    assert visitor.shifts < UNSEEN
    held = visitor.hold_chunk(2)
    visitor.pick(*(visitor.file(f"{n}.bin", chunks(4)) for n in range(3)))
    expect(visitor.row("2.bin")).to_be_visible()
    # Adding files makes room for them, once; a person has asked for it.
    visitor.page.evaluate("() => void requestAnimationFrame(() => (window.shifts = 0))")
    held.wait()
    visitor.button("Pause all").click()
    held.release()
    visitor.button("Resume all").click()
    for n in range(3):
        visitor.expect_state(f"{n}.bin", "done")
    assert visitor.shifts < UNSEEN


def test_a_page_full_of_uploads_loads_without_a_jump(visitor: Visitor) -> None:
    visitor.have(*(visitor.file(f"{n}.bin", 10) for n in range(5)))
    expect(visitor.page.locator(".cu-files .cu-row")).to_have_count(5)
    assert visitor.shifts < UNSEEN


#: Counts the rows in the document at a time, at most, and the transactions in the browser's
#: storage.
_WATCH = """() => {
    [window.mostRows, window.transactions] = [0, 0];
    new MutationObserver(() => {
        window.mostRows = Math.max(window.mostRows, document.querySelectorAll(".cu-row").length);
    }).observe(document.querySelector(".cu-files"), {childList: true, subtree: true});
    const begin = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...given) {
        window.transactions += 1;
        return begin.apply(this, given);
    };
}"""


def test_many_files_stay_smooth(visit: Callable[..., Visitor]) -> None:
    """More than have room in the window, all of them uploaded."""
    low = {"width": 1280, "height": 400}
    visitor = visit(reduced_motion="no-preference", viewport=low)
    folder = visitor.directory / "many"
    for n in range(24):
        visitor.file(f"many/{n}.bin", 100)
    visitor.page.evaluate(_WATCH)
    visitor.page.set_input_files("[data-input=folder]", folder)
    expect(visitor.page.locator(".cu-summary")).to_contain_text("24 files uploaded")
    expect(visitor.page.get_by_role("heading", name="Done 24")).to_be_visible()
    assert visitor.page.evaluate("window.mostRows") < 20, "only rows in sight are in the document"
    assert visitor.shifts < UNSEEN
    height = visitor.page.evaluate("document.documentElement.scrollHeight")
    assert height < 3 * visitor.page.evaluate("innerHeight")


#: Adds many small files to the page, as a drop of a folder does.
_ADD = """(number) => {
    const data = new DataTransfer();
    for (let n = 0; n < number; n += 1) data.items.add(new File([`${n}`], `${n}.bin`));
    const input = document.querySelector("[data-input=files]");
    input.files = data.files;
    setTimeout(() => input.dispatchEvent(new Event("change")));
}"""


def test_thousands_of_files_are_added_without_freezing(visitor: Visitor) -> None:
    visitor.page.route("**/uploads/", lambda route: None)  # nothing gets an answer
    visitor.page.evaluate(_WATCH)
    visitor.page.evaluate(_ADD, 2000)
    expect(visitor.page.get_by_role("heading", name="Uploading 2,000")).to_be_visible()
    assert visitor.page.evaluate("window.mostRows") < 40
    box = visitor.page.locator(".cu-scroll")
    box.evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(visitor.row("1999.bin")).to_be_visible()
    expect(visitor.row("1999.bin")).to_have_attribute("aria-setsize", "2000")
    visitor.button("Pause 1999.bin").focus()
    box.evaluate("box => box.scrollTo(0, 0)")
    expect(visitor.row("0.bin")).to_be_visible()
    expect(visitor.button("Pause 1999.bin")).to_be_focused()  # kept while it has the focus
    visitor.page.keyboard.press("Enter")
    visitor.expect_state("1999.bin", "paused")
    # How long the page stands still is measured by hand; what made it so was asking for each file.
    assert visitor.page.evaluate("window.transactions") < 400


def test_a_file_does_not_change_its_group_under_the_pointer(visitor: Visitor) -> None:
    files = [visitor.file(f"{name}.bin", chunks(2)) for name in ("first", "second")]
    held = [visitor.hold_chunk(1, of=file.name) for file in files]
    visitor.pick(*files)
    for chunk in held:
        chunk.wait()
    visitor.row("second.bin").hover()
    # However long this test waits for its turn, the pointer does not rest.
    move = "row => row.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }))"
    visitor.row("second.bin").evaluate(f"row => window.moving = setInterval({move}, 200, row)")
    place = visitor.row("second.bin").bounding_box()
    for chunk in held:
        chunk.release()
    visitor.expect_state("first.bin", "done")
    assert visitor.row("second.bin").bounding_box() == place
    visitor.page.evaluate("clearInterval(moving)")
    visitor.expect_state("second.bin", "done")
    expect(visitor.group("Done")).to_have_count(2)  # a moment later
    assert visitor.shifts < UNSEEN


def test_every_word_is_in_one_place(visitor: Visitor) -> None:
    """With every text put in brackets, nothing without them is left."""

    def bracketed(route: Route) -> None:
        body = (
            TEXTS.read_text().replace("export default", "const texts =")
            + """
            for (const [key, message] of Object.entries(texts)) {
                texts[key] = {other: `⟦${message.other ?? message}⟧`};
            }
            export default texts;
        """
        )
        route.fulfill(body=body, content_type="text/javascript")

    visitor.serve_sources()
    visitor.page.route("**/page/texts/en.js", bracketed)
    visitor.page.goto(visitor.site.url + "/")
    visitor.page.get_by_text("⟦Nothing here yet").wait_for()
    visitor.upload(visitor.file("0001.001", 10))
    visitor.hold_chunk(1)
    visitor.pick(visitor.file("0002.002", chunks(4)))
    visitor.expect_state("0002.002", "uploading")
    unmarked = visitor.page.evaluate(
        """() => [...document.querySelectorAll(".cu *")].flatMap((one) => [
            ...[...one.childNodes].filter((node) => node instanceof Text).map((node) => node.data),
            one.ariaLabel, one.title, one.placeholder,
        ])"""
    )
    words = [text for text in unmarked if text and re.search(r"[a-z]{3}", text) and "⟦" not in text]
    no_words = re.compile(r"[0-9a-f]{32}|curl -T .*")  # a checksum, a command
    assert [text for text in words if not no_words.fullmatch(text)] == []


def test_an_apps_own_texts(visitor: Visitor) -> None:
    """In a language that the page has not: English stands in for what the app did not translate."""
    dutch = """export default {
        chooseFiles: "Bestanden kiezen",
        summaryDone: {one: "{count} bestand geüpload", other: "{count} bestanden geüpload"},
        stateDone: "Klaar · {size}",
    }"""
    visitor.page.route(
        "**/dutch.js", lambda route: route.fulfill(body=dutch, content_type="text/javascript")
    )

    def in_dutch(route: Route) -> None:
        response = route.fetch()
        told = '<div class="cu" lang="nl" data-messages="/dutch.js"'
        body = response.text().replace('<div class="cu"', told, 1)
        route.fulfill(response=response, body=body)

    visitor.page.route(visitor.site.url + "/", in_dutch)
    visitor.page.goto(visitor.site.url + "/")
    expect(visitor.button("Bestanden kiezen")).to_be_visible()
    expect(visitor.button("Choose a folder")).to_be_visible()
    visitor.upload(visitor.file("film.mp4", 1_500_000))
    visitor.expect_words("film.mp4", "Klaar · 1,5 MB")
    expect(visitor.page.locator(".cu-summary")).to_contain_text("1 bestand geüpload")
