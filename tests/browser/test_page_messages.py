"""Messages that go by themselves, and dialogs that dim all of the page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visitor import Visitor


def complain(visitor: Visitor) -> None:
    (visitor.directory / "nothing").mkdir(exist_ok=True)
    visitor.drop(visitor.directory / "nothing")


def test_a_message_goes_when_it_has_been_read(visitor: Visitor) -> None:
    visitor.page.clock.install()
    visitor.page.goto(visitor.site.url + "/")
    visitor.wait_for_lists()
    message = visitor.page.get_by_role("alert")  # so that screen readers say it at once
    complain(visitor)
    expect(message).to_contain_text("There are no files")
    visitor.page.clock.run_for(5000)
    expect(message).to_contain_text("There are no files")
    visitor.page.clock.run_for(5000)
    expect(message).to_be_empty()

    # Who points at it, or stands on its button, is still reading.
    complain(visitor)
    message.locator(".cu-toast").hover()
    visitor.page.clock.run_for(60_000)
    expect(message).to_contain_text("There are no files")
    visitor.page.mouse.move(0, 0)
    visitor.button("Close this message").focus()
    visitor.page.clock.run_for(60_000)
    expect(message).to_contain_text("There are no files")
    visitor.button("Choose files").focus()
    visitor.page.clock.run_for(10_000)
    expect(message).to_be_empty()


def test_a_dialog_leaves_no_bright_strip_and_moves_nothing(visitor: Visitor) -> None:
    """The scroll bar's place, which no backdrop covers, has the colour of the dimmed page."""
    page = visitor.page
    assert page.evaluate("document.documentElement.scrollHeight === innerHeight"), "no scroll bar"
    visitor.upload(visitor.file("film.mp4", 10))
    button = visitor.button("Delete film.mp4")
    button.hover()  # waits until the row has glided to its place
    before = button.bounding_box()
    button.click()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(128, 130, 138)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == "rgb(13, 16, 21)"
    assert page.locator("[aria-label='Delete film.mp4']").bounding_box() == before
    page.keyboard.press("Escape")
    assert page.evaluate(ground) == "rgba(0, 0, 0, 0)"


#: Lets ten seconds pass for what is shown only then.
_LATER = "() => document.getAnimations().forEach((one) => one.finish())"


def test_a_script_that_does_not_arrive_is_no_silence(visitor: Visitor) -> None:
    """The line breaks while the page loads: it says so, and is loaded again with a click."""
    page = visitor.page
    page.route("**/page/main.js", lambda route: route.abort())
    page.goto(visitor.site.url + "/")
    message = page.get_by_text("Part of this page did not load.")
    expect(message).to_be_hidden()  # it may still be on its way
    page.evaluate(_LATER)
    expect(message).to_be_visible()
    page.unroute_all()
    page.get_by_role("link", name="Reload the page").click()
    visitor.wait_for_lists()
    expect(message).to_have_count(0)
