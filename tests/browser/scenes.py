"""What the pictures of the documents show: people at the page, on a line as slow as theirs.

Scenes go by files' names and by states, not by words, so that most can be played in any language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from chunked_upload.http.access.callers import hash_token
from tests.browser.client import Client
from tests.browser.clients.page import PAGE
from tests.browser.clients.template_helper import CLIENTS as ZONES
from tests.browser.test_admin import create_admin_token
from tests.browser.test_admin import sign_in as sign_in_as_admin
from tests.browser.test_page_resuming import answer_with
from tests.browser.visitor import Visitor

#: Bytes per second, so that the pictures show what people see.
LINE = 11_000_000

LIMITS = {"CHUNKED_UPLOAD_MAX_BYTES": "2G", "CHUNKED_UPLOAD_DENIED_EXTENSIONS": "exe"}
OPEN = replace(PAGE, environment={**LIMITS, "CHUNKED_UPLOAD_SHARE": "true"})
PRIVATE = replace(
    PAGE, environment={**LIMITS, "CHUNKED_UPLOAD_TOKENS": f"alice:{hash_token('pictures')}"}
)
ZONE = replace(ZONES[0], environment={})

#: Sizes of the files in the pictures. What is in them does not show, but for the photos.
SIZES = {
    "Norway 2026, the whole trip.mp4": 420_000_000,
    "lecture-07.pdf": 3_400_000,
    "measurements-november.csv": 28_000_000,
    "backup-2026-11-19.tar.gz": 180_000_000,
    "podcast-112.flac": 96_000_000,
    "podcast-113.flac": 88_000_000,
    "disk-image.iso": 4_700_000_000,
}

PHOTO_SIZE = 2_100_000

#: Photos, each with the colours of its sky and its ground.
PHOTOS = {
    "IMG_4711.jpg": ("#f6b26b, #e06666 55%, #20124d 56%, #4c1130"),
    "IMG_4712.jpg": ("#9fc5e8, #cfe2f3 55%, #38761d 56%, #274e13"),
}


@dataclass(frozen=True)
class Scene:
    """A picture: what is played on which site, and how it is looked at.

    :param options: of the browser's context.
    """

    play: Callable[[Visitor], None]
    client: Client = OPEN
    options: dict[str, Any] = field(default_factory=dict)


def files(visitor: Visitor, *names: str) -> list[Path]:
    """Make files of some names."""
    paths = [visitor.directory / name for name in names]
    for path in paths:
        if path.name in PHOTOS:
            path.write_bytes(photo(visitor.context.new_page(), PHOTOS[path.name]))
            continue
        with path.open("wb") as file:
            file.truncate(SIZES.get(path.name, 1_000_000))
    return paths


def photo(page: Page, colours: str) -> bytes:
    """Make a landscape."""
    page.set_viewport_size({"width": 800, "height": 800})
    page.set_content(f'<body style="background: linear-gradient({colours}) fixed">')
    picture = page.screenshot(type="jpeg")
    page.close()
    return picture + bytes(PHOTO_SIZE)  # which no program looks at


def slow_down(page: Page, line: int = LINE) -> None:
    session = page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": line}
    session.send("Network.emulateNetworkConditions", limits)


def leave(visitor: Visitor, *names: str) -> None:
    """Begin files, and load the page again in the middle of them."""
    slow_down(visitor.page)
    visitor.pick(*files(visitor, *names))
    for name in names:
        visitor.expect_state(name, "uploading")
    visitor.page.wait_for_timeout(3000)
    slow_down(visitor.page, -1)
    visitor.reload()


def empty(visitor: Visitor) -> None:
    expect(visitor.page.locator(".cu-drop")).to_be_visible()


def before(visitor: Visitor) -> None:
    """Somebody who has been here: finished uploads, and one that was left."""
    visitor.upload(*files(visitor, "lecture-07.pdf", "IMG_4711.jpg"))
    leave(visitor, "podcast-112.flac")


def in_progress(visitor: Visitor) -> None:
    before(visitor)
    visitor.upload(*files(visitor, "IMG_4712.jpg"))
    slow_down(visitor.page)
    visitor.pick(*files(visitor, "Norway 2026, the whole trip.mp4", "measurements-november.csv"))
    visitor.pick(*files(visitor, "backup-2026-11-19.tar.gz"))
    visitor.page.wait_for_timeout(5000)
    visitor.row("backup-2026-11-19.tar.gz").get_by_role("button").first.click()
    visitor.page.wait_for_timeout(2500)


def error(visitor: Visitor) -> None:
    visitor.upload(*files(visitor, "IMG_4711.jpg"))
    visitor.page.route("**/complete", answer_with(400, "md5 checksum does not match"))
    visitor.pick(*files(visitor, "lecture-07.pdf", "disk-image.iso", "setup.exe"))
    visitor.expect_state("lecture-07.pdf", "failed")
    visitor.page.unroute_all()


def waiting(visitor: Visitor) -> None:
    """The server does not answer: a countdown, and a button that tries now."""
    visitor.upload(*files(visitor, "IMG_4711.jpg"))
    slow_down(visitor.page)
    visitor.pick(*files(visitor, "podcast-112.flac", "podcast-113.flac"))
    visitor.expect_state("podcast-113.flac", "uploading")
    visitor.page.wait_for_timeout(3000)
    visitor.site.server.kill()
    visitor.expect_state("podcast-113.flac", "waiting")
    visitor.page.wait_for_timeout(9000)  # the first tries come soon after each other
    visitor.expect_state("podcast-113.flac", "waiting")


def needs_you(visitor: Visitor) -> None:
    """Several files after a crash: one button resumes them all."""
    visitor.upload(*files(visitor, "IMG_4711.jpg", "IMG_4712.jpg"))
    leave(visitor, "podcast-112.flac", "podcast-113.flac", "backup-2026-11-19.tar.gz")


def done(visitor: Visitor) -> None:
    visitor.upload(*files(visitor, "lecture-07.pdf", "measurements-november.csv"))
    visitor.upload(*files(visitor, "IMG_4711.jpg", "IMG_4712.jpg"))


def share(visitor: Visitor) -> None:
    done(visitor)
    visitor.button("Share IMG_4711.jpg").click()
    visitor.button("Create link").click()
    expect(visitor.dialog().get_by_role("textbox")).to_be_visible()


def selecting(visitor: Visitor) -> None:
    """Two of the files are selected, to be downloaded or deleted together."""
    before(visitor)
    visitor.upload(*files(visitor, "IMG_4712.jpg", "measurements-november.csv"))
    visitor.button("Select files").click()
    for name in ("IMG_4712.jpg", "measurements-november.csv"):
        visitor.page.get_by_role("checkbox", name=f"Select {name}").check()


def changed(visitor: Visitor) -> None:
    """A file is chosen again after a reload, and is longer now."""
    before(visitor)
    [podcast] = files(visitor, "podcast-112.flac")
    with podcast.open("ab") as file:
        file.truncate(SIZES[podcast.name] + 3_100_000)
    visitor.pick_again("Choose the file podcast-112.flac again to resume", podcast)
    expect(visitor.dialog()).to_be_visible()


def sign_in(visitor: Visitor) -> None:
    expect(visitor.dialog()).to_be_visible()


def admin(visitor: Visitor) -> None:
    """The admin page: finished uploads, one under way, one whose row is selected."""
    create_admin_token(visitor.site.server)
    done(visitor)
    leave(visitor, "podcast-112.flac")
    visitor.page.route("**/admin/totals", _name_a_usual_place)
    visitor.page.goto(f"{visitor.site.url}/admin")
    sign_in_as_admin(visitor.page)
    visitor.page.get_by_label("Select lecture-07.pdf").first.check()
    expect(visitor.page.get_by_role("heading", name="By storage")).to_be_visible()


def _name_a_usual_place(route: Route) -> None:
    """Have the picture show a folder as servers have it, not the one of this machine."""
    answer = route.fetch()
    totals = answer.json()
    for disk in totals["disks"]:
        disk["place"] = "/srv/uploads"
    route.fulfill(response=answer, json=totals)


def zone(visitor: Visitor) -> None:
    """A zone in an app's page: a finished photo, and a film under way."""
    chosen = visitor.page.locator(".dz-hidden-input").first
    chosen.set_input_files(files(visitor, "IMG_4711.jpg", "lecture-07.pdf"))
    expect(visitor.page.locator(".dz-success")).to_have_count(2)
    slow_down(visitor.page)
    film = files(visitor, "Norway 2026, the whole trip.mp4")
    visitor.page.locator(".dz-hidden-input").first.set_input_files(film)
    visitor.page.wait_for_timeout(6000)


DARK = {"color_scheme": "dark"}
NARROW = {"viewport": {"width": 360, "height": 1700}}
WIDE = {"viewport": {"width": 1280, "height": 1700}}

#: By the names of their pictures.
SCENES = {
    "page-empty": Scene(empty),
    "page-in-progress": Scene(in_progress),
    "page-light": Scene(before),
    "page-dark": Scene(in_progress, options=DARK),
    "page-narrow": Scene(in_progress, options=NARROW),
    "page-arabic": Scene(in_progress, options={"locale": "ar"}),
    "page-japanese": Scene(in_progress, options={"locale": "ja", **DARK}),
    "page-german-narrow": Scene(error, options={"locale": "de", **NARROW}),
    "page-error": Scene(error),
    "page-waiting": Scene(waiting),
    "page-needs-you": Scene(needs_you),
    "page-done": Scene(done, options=DARK),
    "page-share": Scene(share),
    "page-selecting": Scene(selecting),
    "page-changed": Scene(changed),
    "page-signed-out": Scene(sign_in, client=PRIVATE),
    "admin-light": Scene(admin, options=WIDE),
    "admin-dark": Scene(admin, options=WIDE | DARK),
    "admin-narrow": Scene(admin, options={"viewport": {"width": 360, "height": 3000}}),
    "zone": Scene(zone, client=ZONE),
}
