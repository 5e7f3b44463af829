"""Zones of the template helper in a page, as a person sees and uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage

from tests.browser.site import AppServer, Site
from tests.support.browser import print_failures
from tests.support.missing import skip_without

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dropzone_app.py"

#: Bytes of a chunk in these tests.
CHUNK = 64 * 1024


def need_dropzone() -> None:
    """Skip the current test where Dropzone has not been built."""
    if not (ROOT / "static" / "vendor" / "dropzone.min.js").exists():
        skip_without("Dropzone", install="npm's packages: make vendor")


@contextmanager
def running_example(directory: Path, **defaults: Any) -> Iterator[Site]:
    """Run the example, with small chunks and more of the zones' defaults."""
    need_dropzone()
    environment = {"FLASK_CHUNKED_UPLOAD_DROPZONE": json.dumps({"chunk_size": CHUNK, **defaults})}
    with Site(AppServer(directory, EXAMPLE, environment)) as site:
        yield site


class ZonePage:
    """A tab with a zone; what the page complains of is noted."""

    def __init__(self, context: BrowserContext, site: Site, path: str = "/") -> None:
        self.site = site
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        print_failures(self.page)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.open(path)

    def open(self, path: str) -> None:
        """Go to a page, and wait for its zone."""
        self.page.goto(f"{self.site.url}{path}")
        self.page.locator(".dz-hidden-input").first.wait_for(state="attached")

    def pick(self, *files: Path, zone: int = 0) -> None:
        """Choose files, as the zone's click would have the user do."""
        self.page.locator(".dz-hidden-input").nth(zone).set_input_files(files)

    def wait(self, state: str, count: int = 1) -> None:
        """Wait until so many files are ``success`` or ``error``, and none is the other."""
        other = "error" if state == "success" else "success"
        self.page.wait_for_function(
            "([state, other, count]) => document.querySelectorAll(`.dz-${state}`).length >= count"
            " || document.querySelector(`.dz-${other}`)",
            arg=[state, other, count],
        )
        assert self.page.locator(f".dz-{state}").count() == count, self.errors()

    def errors(self) -> list[str]:
        """Return the messages that the files show."""
        shown = self.page.locator(".dz-error [data-dz-errormessage]")
        return [text.strip() for text in shown.all_inner_texts()]

    def uploads(self) -> Any:
        """Return what the server lists as this browser's uploads."""
        return self.page.evaluate("async () => (await (await fetch('/uploads/')).json()).uploads")

    @contextmanager
    def going_to(self, path: str) -> Iterator[None]:
        """Expect that what happens in the block leads to another page."""
        with self.page.expect_navigation(url=f"{self.site.url}{path}"):
            yield

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "favicon" not in message.location["url"]:
            self.complaints.append(f"{message.text} ({message.location['url']})")


def bytes_of(paths: set[Path]) -> list[bytes]:
    """Return what files hold, sorted."""
    return sorted(path.read_bytes() for path in paths)
