"""The page for everybody: axe-core in every state, keyboard alone, little space, other colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.accessibility import OF_COLOURS, OF_WORDS, cut_off, violations
from tests.browser.test_page_resuming import answer_with, begin
from tests.browser.test_page_signin import PRIVATE
from tests.browser.visitor import Visitor, chunks

Visit = Callable[..., Visitor]

#: How the page may be looked at; the options of a browser context.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
}


def look_at(page: Page, look: dict[str, Any]) -> None:
    """Have a page look as another visitor sees it."""
    page.emulate_media(color_scheme=look["color_scheme"])
    page.set_viewport_size(look.get("viewport", {"width": 1000, "height": 1400}))


def empty(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-files")).to_contain_text("Nothing here yet.")


def uploading(visitor: Visitor) -> None:
    visitor.hold_chunk(1)
    visitor.pick(visitor.file("film.mp4", chunks(4)))
    visitor.expect_state("film.mp4", "uploading")


def my_uploads(visitor: Visitor) -> None:
    visitor.have(*(visitor.file(f"{n}.bin", 10) for n in range(6)))
    begin(visitor)
    expect(visitor.listed("film.mp4")).to_be_visible()


def crowd(visitor: Visitor) -> None:
    """Bring a file into each state that a row can have on its way, until :func:`calm`."""

    def refuse(route: Route) -> None:
        if "waiting.bin" in route.request.headers.get("content-disposition", ""):
            answer_with(507, "Storage is full")(route)
        else:
            route.fallback()

    visitor.page.route("**/uploads/", refuse)
    visitor.page.route("**/complete", answer_with(400, "md5 checksum does not match"))
    long_name = "a long name that needs more than its place.tar.gz"
    visitor.hold_chunk(1, of=long_name)
    sizes = {"failed.bin": 1000, "waiting.bin": 1000, long_name: chunks(3), "setup.exe": 10}
    visitor.pick(*(visitor.file(name, size) for name, size in sizes.items()))
    for name, state in zip(sizes, ("failed", "waiting", "uploading", "failed"), strict=True):
        visitor.expect_state(name, state)


def calm(visitor: Visitor) -> None:
    """Have the server take all again."""
    visitor.page.unroute_all()
    visitor.site.proxy.clear()
    visitor.site.proxy.keep_alive = True


def every_state(visitor: Visitor) -> None:
    visitor.upload(visitor.file("done.mp4", 1000))
    crowd(visitor)
    complain(visitor)


def complain(visitor: Visitor) -> None:
    (visitor.directory / "nothing").mkdir()
    visitor.drop(visitor.directory / "nothing")
    expect(visitor.page.get_by_role("alert")).to_contain_text("There are no files")


def paused(visitor: Visitor) -> None:
    visitor.button("Pause all").click()
    visitor.expect_state("a long name that needs more than its place.tar.gz", "paused")


def question(visitor: Visitor) -> None:
    visitor.button("Delete done.mp4").click()
    expect(visitor.dialog()).to_be_visible()


def asked_for_again(visitor: Visitor) -> None:
    close_dialog(visitor)
    visitor.button("Resume all unfinished uploads").click()
    expect(visitor.dialog()).to_contain_text("Choose 1 file to resume")


def changed(visitor: Visitor) -> None:
    close_dialog(visitor)
    longer = visitor.file("film.mp4", chunks(4) + 1000)
    visitor.pick_again("Choose the file film.mp4 again to resume", longer)
    expect(visitor.dialog()).to_contain_text("film.mp4 has changed")


def selecting(visitor: Visitor) -> None:
    close_dialog(visitor)
    visitor.button("Select files").click()
    visitor.page.get_by_role("checkbox", name="Select 5.bin").click()
    visitor.page.get_by_text("1 file selected").wait_for()


def close_dialog(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog()).to_be_hidden()


#: One after the other, each goes on from the one before.
STATES = [
    empty,
    my_uploads,
    every_state,
    paused,
    question,
    asked_for_again,
    changed,
    selecting,
]


#: By look: in the first all is looked at; then what colours, and the room for words, can change.
RULES: dict[str, tuple[str, ...]] = {
    "light": (),
    "dark": OF_COLOURS,
    "narrow": (*OF_COLOURS, *OF_WORDS),
}


def test_axe_finds_nothing_and_nothing_is_cut_off(visit: Visit) -> None:
    """In every state and look, one after the other on one page."""
    visitor = visit(reduced_motion="reduce")  # no colour is half-way to another
    for state in STATES:
        look_at(visitor.page, LOOKS["light"])
        state(visitor)
        for name, look in LOOKS.items():
            look_at(visitor.page, look)
            assert violations(visitor.page, rules=RULES[name]) == [], (state, name)
        assert cut_off(visitor.page) == [], state


def test_axe_finds_nothing_where_one_signs_in(visit: Visit) -> None:
    visitor = visit(PRIVATE)
    expect(visitor.dialog()).to_be_visible()
    assert violations(visitor.page) == []


def test_the_keyboard_alone_will_do(visitor: Visitor) -> None:
    keys = visitor.page.keyboard
    visitor.upload(visitor.file("done.bin", 10))
    held = visitor.hold_chunk(1)
    visitor.pick(visitor.file("film.mp4", chunks(3)))
    held.wait()
    visitor.page.evaluate("document.activeElement.blur()")
    with walk(visitor) as step:
        assert step() == "Skip to my uploads"
        assert step() == "Choose files"
        assert step() == "Choose a folder"
        assert step() == "Pause all"
        assert step() == "Cancel all"
        assert step() == "Search by name or folder"
        assert step() == "Order"
        assert step() == "Select files"
        assert step() == "Uploading 1"
        assert step() == "Pause film.mp4"
        keys.press("Enter")
        visitor.expect_state("film.mp4", "paused")
        held.release()
        keys.press("Space")
        visitor.expect_state("film.mp4", "done")
        expect(visitor.page.get_by_role("link", name="Download film.mp4")).to_be_focused()
        expect(visitor.group("Done")).to_have_count(2)  # the row has moved, with the focus
        expect(visitor.page.get_by_role("link", name="Download film.mp4")).to_be_focused()
        assert step() == "Delete film.mp4"
        keys.press("Enter")
        keys.press("Tab")
        keys.press("Enter")
    expect(visitor.row("film.mp4")).to_have_count(0)
    expect(visitor.page.get_by_role("link", name="Download done.bin")).to_be_focused()


@contextmanager
def walk(visitor: Visitor) -> Iterator[Callable[[], str]]:
    """Go from one control to the next, each to be seen where it has the focus."""
    look = """() => {
        const at = document.activeElement;
        const name = at.ariaLabel ?? at.innerText.trim().replace(/\\s+/g, " ");
        return [name, getComputedStyle(at).outlineStyle, at.getBoundingClientRect().width];
    }"""

    def step() -> str:
        visitor.page.keyboard.press("Tab")
        name, outline, width = visitor.page.evaluate(look)
        assert outline == "solid", name
        assert width > 20, name
        return str(name)

    yield step


def test_the_skip_link_leads_to_the_lists(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#cu-files")).to_be_focused()


def test_screen_readers_are_told_little(visitor: Visitor) -> None:
    visitor.page.evaluate(
        """() => new MutationObserver(() => (window.told ??= []).push(
            document.querySelector(".cu [role=status]").textContent,
        )).observe(document.querySelector(".cu [role=status]"), {childList: true})"""
    )
    files = [visitor.file(f"{n}.bin", chunks(1)) for n in range(12)]
    visitor.upload(*files)
    visitor.expect_said("uploaded")
    told = visitor.page.evaluate("window.told")
    assert told[0].startswith("12 files added.")
    assert len(told) <= 8


def test_who_wants_less_motion_gets_none(visit: Visit) -> None:
    visitor = visit(reduced_motion="reduce")
    uploading(visitor)
    complain(visitor)
    moving = """[...document.querySelectorAll(".cu *")].filter((one) => {
        const style = getComputedStyle(one);
        return style.transitionDuration !== "0s" || style.animationName !== "none";
    }).length"""
    assert visitor.page.evaluate(moving) == 0


def test_forced_colours_keep_bars_and_buttons_visible(visit: Visit) -> None:
    visitor = visit(forced_colors="active")
    uploading(visitor)
    bar = visitor.page.locator("progress").first
    assert bar.evaluate("bar => getComputedStyle(bar).appearance") == "auto"
    border = "one => getComputedStyle(one).borderTopColor !== getComputedStyle(one).backgroundColor"
    assert visitor.page.locator(".cu-icon-button").first.evaluate(border)
    assert violations(visitor.page) == []
