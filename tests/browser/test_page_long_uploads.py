"""Uploads of more than a minute: the screen stays on and the end is told, if that is wanted."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

#: What the system is asked for, and an uploader whose files take as long as one likes.
_SYSTEM = """
window.locks = [], window.told = [];
Object.defineProperty(navigator, "wakeLock", {value: {request: async (kind) => {
    const lock = {kind, released: false, release: async () => void (lock.released = true)};
    locks.push(lock);
    return lock;
}}});
window.Notification = class {
    static requestPermission = async () => window.permission ?? "granted";
    constructor(words) { told.push(words); }
};
"""
_BEGIN = """async () => {
    const {LongUploads} = await import("/uploads/static/page/long-uploads.js");
    const {Toasts} = await import("/uploads/static/page/toasts.js");
    const {Texts} = await import("/uploads/static/page/format.js");
    const {default: english} = await import("/uploads/static/page/texts/en.js");
    const texts = new Texts(english, "en");
    window.uploader = Object.assign(new EventTarget(), {uploads: []});
    const toasts = new Toasts(texts);
    document.querySelector(".cu").append(toasts.element);
    new LongUploads(texts, {uploader, toasts});
    window.emit = (type, detail) => uploader.dispatchEvent(new CustomEvent(type, {detail}));
    window.run = (secondsLeft) => {
        uploader.uploads = [{name: "film.mp4", state: "uploading"}];
        emit("progress", {secondsLeft});
    };
    window.end = (state) => {
        uploader.uploads = [{name: "film.mp4", state}];
        emit("idle");
    };
}"""


@pytest.fixture
def waiting(visitor: Visitor) -> Visitor:
    """Somebody whose clock the test moves."""
    visitor.serve_sources()
    visitor.page.clock.install()
    visitor.page.add_init_script(_SYSTEM)
    visitor.page.goto(visitor.site.url + "/")
    visitor.wait_for_lists()
    visitor.page.evaluate(_BEGIN)
    return visitor


def test_the_screen_stays_on_and_the_end_is_told(waiting: Visitor) -> None:
    page = waiting.page
    switch = page.get_by_role("switch", name="Keep the screen on and notify me at the end")

    page.evaluate("run(30)")
    page.clock.run_for(5_000)
    page.evaluate("run(25)")
    expect(switch).to_have_count(0)
    page.evaluate("end('done')")
    assert page.evaluate("[locks.length, told.length]") == [0, 0], "a short one"

    page.evaluate("run(500)")
    page.clock.run_for(11_000)
    page.evaluate("run(490)")
    expect(switch).not_to_be_checked()
    assert page.evaluate("locks.length") == 0, "only who wants it"
    switch.check()
    page.wait_for_function("locks.length === 1")
    page.clock.run_for(11_000)
    page.evaluate("run(400)")
    assert page.evaluate("locks.map(({released}) => released)") == [False]
    page.evaluate("end('done')")
    assert page.evaluate("locks.map(({released}) => released)") == [True]
    assert page.evaluate("told") == ["film.mp4 is uploaded"]

    # The next one, without being asked again; a failure is told too.
    page.evaluate("run(500)")
    page.clock.run_for(70_000)
    page.evaluate("run(400)")
    page.wait_for_function("locks.length === 2")
    page.evaluate("end('failed')")
    assert page.evaluate("told.at(-1)") == "1 file was not uploaded"


def test_the_answer_is_remembered_and_can_be_taken_back(waiting: Visitor) -> None:
    page = waiting.page
    page.evaluate("localStorage.setItem('chunked-upload long uploads', 'on')")
    page.evaluate(_BEGIN)
    page.evaluate("run(500)")
    page.clock.run_for(61_000)
    page.evaluate("run(400)")
    switch = page.get_by_role("switch")
    expect(switch).to_be_checked()
    page.wait_for_function("locks.length === 1")
    switch.uncheck()
    page.wait_for_function("locks[0].released")
    page.evaluate("end('done')")
    assert page.evaluate("told") == []
    assert page.evaluate("localStorage.getItem('chunked-upload long uploads')") is None


def test_a_browser_that_does_not_notify_says_so(waiting: Visitor) -> None:
    page = waiting.page
    page.evaluate("() => void (window.permission = 'denied')")
    page.evaluate("run(500)")
    page.clock.run_for(61_000)
    page.evaluate("run(400)")
    page.get_by_role("switch").check()
    expect(page.get_by_role("alert").last).to_contain_text("does not allow notifications")
