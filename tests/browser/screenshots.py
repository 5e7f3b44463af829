"""Pictures of the page for the documents: ``make screenshots`` writes docs/images/*.png.

The page is used as a person would, on the real server (scenes.py). ``ARGS="page-dark zone"`` takes
these alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import FloatRect, Page, ViewportSize, sync_playwright

from tests.browser.scenes import SCENES, Scene
from tests.browser.site import Site, Sites
from tests.browser.visitor import SCRIPTS, Visitor
from tests.support.browser import ARGUMENTS, executable

IMAGES = Path(__file__).parents[2] / "docs" / "images"

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

#: High enough for every row of a list, which scrolls in a lower one.
WINDOW = {"width": 820, "height": 1400}
#: What is around a dialog.
DIALOG: ViewportSize = {"width": 820, "height": 560}


def main(names: list[str]) -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        fonts = folder / "fonts.conf"
        fonts.write_text(FONTS)
        environment: dict[str, Any] = {"FONTCONFIG_FILE": str(fonts), "LANG": "C.UTF-8"}
        browser = playwright.chromium.launch(
            executable_path=executable(), args=ARGUMENTS, env=environment
        )
        (folder / "sites").mkdir()
        with Sites(folder / "sites") as sites:
            for name in names or SCENES:
                (folder / name).mkdir()
                scene = SCENES[name]
                picture(name, scene, sites.of(scene.client), browser, folder / name)
        browser.close()


def picture(name: str, scene: Scene, site: Site, browser: Any, folder: Path) -> None:
    """Play what a picture shows, and take it: all of the page, or a dialog in its window."""
    options = {"viewport": WINDOW, "reduced_motion": "reduce", **scene.options}
    context = browser.new_context(**options)
    for script in SCRIPTS:
        context.add_init_script(script)
    visitor = Visitor(site, context, folder)
    visitor.open()
    scene.play(visitor)
    visitor.page.mouse.move(5, 5)
    path = IMAGES / f"{name}.png"
    if visitor.dialog().count():
        visitor.page.set_viewport_size(DIALOG)
        visitor.page.screenshot(path=path)
    else:
        visitor.page.screenshot(path=path, clip=used(visitor.page))
    make_small(path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)
    visitor.context.close()
    site.proxy.clear()


def used(page: Page) -> FloatRect:
    """Return the part of the window that has something in it."""
    ends = """[...document.querySelectorAll("body *:not(.cu-toasts)")].map(
        (one) => one.checkVisibility() && one.getBoundingClientRect().bottom)"""
    leaves = "(ends) => Math.max(...ends.filter((end) => end < innerHeight))"
    size = page.viewport_size or WINDOW
    end = page.evaluate(f"({leaves})({ends})")
    return {"x": 0, "y": 0, "width": size["width"], "height": min(end + 32, size["height"])}


def make_small(path: Path) -> None:
    """Give a picture a palette, where pngquant is installed: that is a third of its size."""
    if shutil.which("pngquant"):
        small = ["pngquant", "--force", "--skip-if-larger", "--ext", ".png", "--speed", "1"]
        subprocess.run([*small, os.fspath(path)], check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
