"""Pictures of the page for the documents: ``make screenshots`` writes docs/images/*.png.

The page is used as a person would, on the real server, over a line as slow as theirs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from tests.browser.clients.page import PAGE
from tests.browser.site import Site, Sites
from tests.browser.test_page_resuming import answer_with
from tests.browser.visitor import Visitor
from tests.support.browser import ARGUMENTS, executable

IMAGES = Path(__file__).parents[2] / "docs" / "images"

#: Bytes per second, so that the pictures show what people see.
LINE = 11_000_000

#: What a desktop shows as its own font where none is set up, as on servers.
_PREFERRED = """<match target="pattern"><test name="family"><string>{}</string></test>
<edit name="family" mode="prepend" binding="strong">
<string>Inter</string><string>Noto Sans</string><string>Liberation Sans</string>
</edit></match>"""
FONTS = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
{"".join(map(_PREFERRED.format, ("system-ui", "sans", "sans-serif")))}
</fontconfig>
"""

SIZES = {
    "Norway 2026, the whole trip.mp4": 420_000_000,
    "lecture-07.pdf": 3_400_000,
    "measurements-november.csv": 28_000_000,
    "IMG_4711.heic": 2_100_000,
    "IMG_4712.heic": 2_300_000,
    "backup-2026-11-19.tar.gz": 180_000_000,
    "podcast-112.flac": 96_000_000,
}

Play = Callable[[Visitor], None]


def files(visitor: Visitor, *names: str) -> list[Path]:
    """Make files of some names; what is in them does not show."""
    paths = [visitor.directory / name for name in names]
    for path in paths:
        with path.open("wb") as file:
            file.truncate(SIZES.get(path.name, 1_000_000))
    return paths


def slow_down(visitor: Visitor) -> None:
    session = visitor.context.new_cdp_session(visitor.page)
    line = {"offline": False, "latency": 20, "downloadThroughput": LINE, "uploadThroughput": LINE}
    session.send("Network.emulateNetworkConditions", line)


def before(visitor: Visitor) -> None:
    """Somebody who has been here: finished uploads, and one that was left."""
    visitor.upload(*files(visitor, "lecture-07.pdf", "IMG_4711.heic"))
    held = visitor.hold_chunk(7)
    visitor.pick(*files(visitor, "podcast-112.flac"))
    held.wait()
    visitor.reload()
    held.release()
    visitor.reload()


def in_progress(visitor: Visitor) -> None:
    before(visitor)
    visitor.upload(*files(visitor, "IMG_4712.heic"))
    slow_down(visitor)
    visitor.pick(*files(visitor, "Norway 2026, the whole trip.mp4", "measurements-november.csv"))
    visitor.pick(*files(visitor, "backup-2026-11-19.tar.gz"))
    visitor.page.wait_for_timeout(5000)
    visitor.button("Pause backup-2026-11-19.tar.gz").click()
    visitor.page.wait_for_timeout(2500)
    visitor.page.mouse.click(5, 5)


def error(visitor: Visitor) -> None:
    refuse = answer_with(400, "md5 checksum does not match")
    visitor.page.route("**/complete", refuse)
    visitor.pick(*files(visitor, "lecture-07.pdf"))
    visitor.expect_state("lecture-07.pdf", "failed")
    visitor.page.unroute_all()
    huge = visitor.directory / "disk-image.iso"
    with huge.open("wb") as file:
        file.truncate(4_700_000_000)
    visitor.upload(*files(visitor, "IMG_4711.heic"))
    held = visitor.hold_chunk(3)
    visitor.pick(huge, *files(visitor, "podcast-112.flac"))
    held.wait()
    visitor.context.set_offline(True)
    held.release()
    visitor.expect_words("podcast-112.flac", "Waiting for the network")


def done(visitor: Visitor) -> None:
    before(visitor)
    visitor.upload(*files(visitor, "measurements-november.csv", "IMG_4712.heic"))


#: Name of the picture: what is played, the browser context's options.
PICTURES: dict[str, tuple[Play, dict[str, Any]]] = {
    "light": (before, {}),
    "in-progress": (in_progress, {}),
    "dark": (in_progress, {"color_scheme": "dark"}),
    "narrow": (in_progress, {"viewport": {"width": 360, "height": 1240}}),
    "error": (error, {"viewport": {"width": 820, "height": 940}}),
    "done": (done, {"color_scheme": "dark"}),
}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    environment = {"CHUNKED_UPLOAD_MAX_BYTES": "2G", "CHUNKED_UPLOAD_DENIED_EXTENSIONS": "exe"}
    client = replace(PAGE, environment=environment)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        fonts = folder / "fonts.conf"
        fonts.write_text(FONTS)
        browser = playwright.chromium.launch(
            executable_path=executable(), args=ARGUMENTS, env={"FONTCONFIG_FILE": str(fonts)}
        )
        (folder / "sites").mkdir()
        with Sites(folder / "sites") as sites:
            for name in PICTURES:
                (folder / name).mkdir()
                picture(name, sites.of(client), browser, folder / name)
        browser.close()


def picture(name: str, site: Site, browser: Any, folder: Path) -> None:
    """Play what a picture shows, and take it."""
    play, options = PICTURES[name]
    options = {"viewport": {"width": 820, "height": 1180}, **options}
    visitor = Visitor(site, browser.new_context(**options), folder)
    visitor.open()
    play(visitor)
    expect(visitor.page.locator(".cu-row").first).to_be_visible()
    path = IMAGES / f"page-{name}.png"
    visitor.page.screenshot(path=path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    visitor.context.close()
    site.proxy.clear()


if __name__ == "__main__":
    main()
