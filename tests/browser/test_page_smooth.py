"""The page keeps still and keeps up: no layout shift, a hundred files, every word in one place."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.visitor import Visitor, chunks

TEXTS = Path(__file__).parents[2] / "static" / "page" / "text.js"

#: Layout shift that nobody sees: the tenth of what counts as good (web.dev, CLS).
UNSEEN = 0.01


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
    visitor.upload(*(visitor.file(f"{n}.bin", 10) for n in range(5)))
    visitor.reload()
    expect(visitor.page.locator(".cu-files .cu-row")).to_have_count(5)
    assert visitor.shifts < UNSEEN


#: Counts what the list of uploads costs: frames with changes, and changes.
_COUNT = """() => {
    window.rowsMade = 0;
    new MutationObserver((changes) => {
        for (const {addedNodes, removedNodes} of changes) {
            for (const node of [...addedNodes, ...removedNodes]) {
                if (node.nodeName === "LI") window.rowsMade += 1;
            }
        }
    }).observe(document.querySelector(".cu-session"), {childList: true, subtree: true});
}"""


def test_a_hundred_files_stay_smooth(visitor: Visitor) -> None:
    folder = visitor.directory / "many"
    for n in range(100):
        visitor.file(f"many/{n}.bin", 100)
    visitor.page.evaluate(_COUNT)
    visitor.page.set_input_files("[data-input=folder]", folder)
    done = visitor.page.locator(".cu-session .cu-row[data-state=done]")
    expect(done).to_have_count(100)
    expect(visitor.page.locator(".cu-summary")).to_contain_text("100 files uploaded")
    assert visitor.page.evaluate("window.rowsMade") == 100, "each row was made once and stayed"
    assert visitor.shifts < UNSEEN
    far = visitor.page.locator(".cu-session .cu-row .cu-row-main").last
    assert far.evaluate("row => !row.checkVisibility({contentVisibilityAuto: true})"), (
        "rows out of sight are not laid out"
    )


def test_every_word_is_in_one_place(visitor: Visitor) -> None:
    """With every text put in brackets, nothing without them is left."""

    def bracketed(route: Route) -> None:
        body = (
            TEXTS.read_text()
            + """
            for (const [key, message] of Object.entries(english)) {
                english[key] = {other: `⟦${message.other ?? message}⟧`};
            }
        """
        )
        route.fulfill(body=body, content_type="text/javascript")

    visitor.serve_sources()
    visitor.page.route("**/page/text.js", bracketed)
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
    md5 = re.compile(r"[0-9a-f]{32}")
    assert [text for text in words if not md5.fullmatch(text)] == ["Upload files"]  # the server's


def test_another_language(visitor: Visitor) -> None:
    german = """export default {
        chooseFiles: "Dateien wählen",
        summaryDone: {one: "{count} Datei hochgeladen", other: "{count} Dateien hochgeladen"},
        stateDone: "Fertig · {size}",
    }"""
    visitor.page.route(
        "**/german.js", lambda route: route.fulfill(body=german, content_type="text/javascript")
    )

    def in_german(route: Route) -> None:
        response = route.fetch()
        body = response.text().replace('lang="en"', 'lang="de"')
        body = body.replace('<div class="cu"', '<div class="cu" data-messages="/german.js"', 1)
        route.fulfill(response=response, body=body)

    visitor.page.route(visitor.site.url + "/", in_german)
    visitor.page.goto(visitor.site.url + "/")
    expect(visitor.button("Dateien wählen")).to_be_visible()
    visitor.upload(visitor.file("film.mp4", 1_500_000))
    visitor.expect_words("film.mp4", "Fertig · 1,5 MB")
    expect(visitor.page.locator(".cu-summary")).to_contain_text("1 Datei hochgeladen")


def test_no_text_is_left_over() -> None:
    folder = Path(__file__).parents[2] / "static" / "page"
    texts = (folder / "text.js").read_text()
    keys = set(re.findall(r"^  (\w+):", texts, re.MULTILINE))
    used = "".join(path.read_text() for path in folder.glob("*.js") if path.name != "text.js")
    assert {key for key in keys if f'"{key}"' not in used} == set()
