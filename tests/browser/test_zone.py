"""What a zone of the template helper shows and says, from an empty one to one full of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.accessibility import OF_WORDS, RULES, violations
from tests.browser.site import Site
from tests.browser.trial import make_file
from tests.browser.visitor import SHIFTS
from tests.browser.zones import CHUNK, ZonePage, running_example
from tests.support.tabs import Browser

PATIENCE = 60_000

LANGUAGES = sorted(path.stem for path in Path(__file__).parents[2].glob("static/page/texts/*.js"))

#: How the app looks: the zone follows it.
LOOKS = "body { font: italic 20px/1.5 serif; color: %s; background: %s }"
LIGHT = LOOKS % ("#222", "#fff")
DARK = LOOKS % ("#eee", "#111")

Open = Callable[..., ZonePage]


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_example(tmp_path_factory.mktemp("zone")) as running:
        yield running


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The example, its network mended."""
    shared_site.proxy.clear()
    return shared_site


@pytest.fixture
def open_zone(browser: Browser, site: Site) -> Open:
    """Open the page with a zone, in a browser of its own."""

    def open_zone() -> ZonePage:
        context = browser.new_context(scripts=[SHIFTS], bypass_csp=True)
        context.set_default_timeout(PATIENCE)
        return ZonePage(context, site)

    return open_zone


def speak(page: ZonePage, language: str) -> None:
    """Load the page again, in a language."""
    direction = "rtl" if language == "ar" else "ltr"

    def in_language(route: Route) -> None:
        answer = route.fetch()
        body = answer.text().replace('lang="en"', f'lang="{language}" dir="{direction}"')
        route.fulfill(response=answer, body=body)

    page.page.unroute_all()
    page.page.route(f"{page.site.url}/", in_language)
    page.open("/")


class Tile:
    """A file's tile."""

    def __init__(self, page: ZonePage, name: str) -> None:
        self.element = page.page.get_by_role("group", name=name, exact=True)
        self.said = self.element.locator(".chunked-upload-said")
        self.bar = self.element.get_by_role("progressbar")

    def says(self, words: str | re.Pattern[str]) -> None:
        expect(self.said).to_have_text(words, timeout=PATIENCE)


def assert_still(page: ZonePage) -> None:
    """Check that nothing moved by itself."""
    assert page.page.evaluate("window.shifts ?? 0") == 0


def test_how_far_how_fast_and_then_done(open_zone: Open, site: Site, tmp_path: Path) -> None:
    page = open_zone()
    held = site.proxy.hold(8)
    page.pick(make_file(tmp_path / "film.mp4", 16 * CHUNK))
    held.wait()
    film = Tile(page, "film.mp4")
    film.says(re.compile(r"^[45]\d% of 1.05 MB · [\d.]+ [kM]B/s · \d+ sec left$"))
    expect(film.bar).to_have_attribute("aria-valuenow", re.compile(r"^[45]\d$"))
    held.release()
    film.says("Done · 1.05 MB")
    expect(film.bar).to_have_attribute("aria-valuenow", "100")
    # What is finished looks so for as long as it is there.
    expect(film.element.locator(".dz-success-mark")).to_be_visible()
    expect(page.page.get_by_role("status")).to_have_text("film.mp4 is uploaded.")
    assert_still(page)


def test_after_a_reload_it_names_what_was_left_and_says_where_it_resumed(
    open_zone: Open, site: Site, tmp_path: Path
) -> None:
    page = open_zone()
    held = site.proxy.hold(8)
    file = make_file(tmp_path / "film.mp4", 16 * CHUNK)
    page.pick(file)
    held.wait()
    page.open("/")
    held.release()
    left = page.page.get_by_role("listitem")
    words = "film.mp4 (1.05 MB) is not finished. Choose the file again to resume."
    expect(left).to_have_text(words, timeout=PATIENCE)
    assert violations(page.page) == [], "left unfinished"
    assert_still(page)
    page.pick(file)
    resumed = page.page.get_by_role("status")
    expect(resumed).to_contain_text(re.compile(r"film.mp4: Resumed at \d+ kB\."), timeout=PATIENCE)
    Tile(page, "film.mp4").says("Done · 1.05 MB")
    expect(left).to_have_count(0, timeout=PATIENCE)


def test_what_it_waits_for_and_trying_at_once(open_zone: Open, site: Site, tmp_path: Path) -> None:
    page = open_zone()
    held = site.proxy.hold(2)
    page.pick(make_file(tmp_path / "film.mp4", 4 * CHUNK))
    held.wait()
    busy = {"status": 503, "json": {}, "headers": {"Retry-After": "600"}}
    page.page.route(re.compile("/uploads/(?!static)"), lambda route: route.fulfill(**busy))
    held.release()
    film = Tile(page, "film.mp4")
    film.says(re.compile(r"^The server .*Trying again in \d+ min"))
    said = page.page.get_by_role("status")
    expect(said).to_contain_text("The server ")
    expect(said).not_to_contain_text("Trying again")  # no countdown is read aloud
    assert violations(page.page) == [], "waiting"
    page.page.unroute_all()
    page.page.get_by_role("button", name="Retry now: film.mp4").click()
    film.says("Done · 262 kB")
    expect(page.page.get_by_role("button", name="Retry now")).to_have_count(0)


def test_every_state_is_accessible_in_the_apps_looks(
    open_zone: Open, site: Site, tmp_path: Path
) -> None:
    page = open_zone()
    page.page.add_style_tag(content=LIGHT)
    page.page.evaluate("document.querySelector('.dropzone').dropzone.options.maxFilesize = 2")
    assert violations(page.page) == [], "empty"
    page.pick(
        make_file(tmp_path / "done.bin", 5),
        make_file(tmp_path / "refused.exe", 5),
        make_file(tmp_path / "large.bin", 2**21 + 1),
    )
    Tile(page, "done.bin").says("Done · 5 bytes")
    assert page.errors() == [
        "You can't upload files of this type.",
        "Too large: the file is 2.1 MB, the limit is 2.1 MB. Nothing was sent.",
    ]
    site.proxy.clear()
    held = site.proxy.hold(2)
    page.pick(make_file(tmp_path / "film.mp4", 4 * CHUNK))
    held.wait()
    for looks in (LIGHT, DARK):
        page.page.add_style_tag(content=looks)
        assert violations(page.page) == [], ("uploading, done and failed", looks)
        inherited = page.page.evaluate(
            """() => ["fontFamily", "fontStyle", "color", "backgroundColor"].map((name) => [
                getComputedStyle(document.body)[name],
                getComputedStyle(document.querySelector(".chunked-upload-words"))[name],
            ])"""
        )
        *words, (_, background) = inherited
        assert all(app == zone for app, zone in words)
        assert background == "rgba(0, 0, 0, 0)"
    held.release()
    Tile(page, "film.mp4").says("Done · 262 kB")


#: Counts how often a zone asks the browser for files; no dialog opens.
ASKED = """
window.asked = 0;
document.addEventListener("click", (event) => {
    if (!event.target.matches(".dz-hidden-input")) return;
    event.preventDefault();
    window.asked += 1;
}, true);
"""


def test_by_keyboard_alone(open_zone: Open, tmp_path: Path) -> None:
    page = open_zone()
    page.page.evaluate(ASKED)
    add = page.page.get_by_role("button", name="Drop files here or click to upload.")
    page.page.keyboard.press("Tab")
    expect(add).to_be_focused()
    for count, name in enumerate(("a.bin", "b.bin"), start=1):  # the way in stays for the second
        add.press("Enter")
        assert page.page.evaluate("window.asked") == count
        page.pick(make_file(tmp_path / name, 5))
        Tile(page, name).says("Done · 5 bytes")
    first = page.page.get_by_role("button", name="Remove file: a.bin")
    first.focus()
    page.page.keyboard.press("Space")
    second = page.page.get_by_role("button", name="Remove file: b.bin")
    expect(second).to_be_focused(timeout=PATIENCE)
    page.page.keyboard.press("Enter")
    expect(add).to_be_focused(timeout=PATIENCE)


def test_a_file_is_paused_and_resumed(open_zone: Open, site: Site, tmp_path: Path) -> None:
    page = open_zone()
    held = site.proxy.hold(8)
    page.pick(make_file(tmp_path / "film.mp4", 16 * CHUNK))
    held.wait()
    film = Tile(page, "film.mp4")
    film.element.get_by_role("button", name="Pause: film.mp4").click()
    film.says(re.compile(r"^Paused at \d+%"))
    held.release()
    sent = len(site.proxy.chunks)
    film.element.get_by_role("button", name="Resume: film.mp4").click()
    film.says("Done · 1.05 MB")
    expect(film.element.get_by_role("button")).to_have_count(1)  # "Remove file"
    assert sum(request.received for request in site.proxy.chunks[sent:]) < 9 * CHUNK
    assert_still(page)


def test_every_language_is_accessible_narrow_and_dark(
    open_zone: Open, site: Site, tmp_path: Path
) -> None:
    """In one tab, in which the page is loaded again for each."""
    page = open_zone()
    page.page.set_viewport_size({"width": 320, "height": 640})
    for language in LANGUAGES:
        speak(page, language)
        page.page.add_style_tag(content=DARK)
        site.proxy.clear()
        held = site.proxy.hold(1)
        page.pick(make_file(tmp_path / "a.exe", 5), make_file(tmp_path / "b.mp4", 2 * CHUNK))
        held.wait()
        rules = RULES.get(language, OF_WORDS)
        pause = Tile(page, "b.mp4").element.locator(".chunked-upload-action")
        assert violations(page.page, rules=rules) == [], (language, "uploading and failed")
        pause.click()
        expect(Tile(page, "b.mp4").element).to_have_attribute("data-state", "paused")
        assert violations(page.page, rules=rules) == [], (language, "paused")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 320, language
        held.release()
        pause.click()
        page.page.locator(".dz-success").wait_for()
        picture, name = (
            page.page.locator(f".dz-success {selector}").bounding_box()
            for selector in (".dz-image", ".dz-filename")
        )
        assert picture is not None
        assert name is not None
        assert (picture["x"] > name["x"]) == (language == "ar"), language
