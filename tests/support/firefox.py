"""Firefox, as Debian has it, driven by Mozilla's own client of Marionette.

Playwright drives only a Firefox of its own build, and Debian has no geckodriver; Marionette is in
every Firefox. Starting it takes several seconds, so that one serves the tests of a module.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from marionette_driver.marionette import Marionette

from tests.support.missing import skip_without

#: Seconds to wait for something on a busy machine.
PATIENCE = 60


class Firefox:
    """A tab of Firefox."""

    def __init__(self, marionette: Marionette) -> None:
        self._marionette = marionette

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._marionette.navigate(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page, and return what it returns."""
        return self._marionette.execute_script(script, script_args=arguments, sandbox=None)

    def wait(self, script: str, *arguments: Any) -> Any:
        """Wait until a script returns something true, and return it.

        :raises AssertionError: with what the page says, when it does not.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self.run(script, *arguments):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{script} {arguments}:\n{self.run('return document.body.innerText')}")

    def says(self, words: str) -> None:
        """Wait until the page shows some words."""
        self.wait("return document.body.innerText.includes(arguments[0])", words)

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files at an ``<input type=file>``, as through the browser's dialog."""
        self.wait("return document.querySelector(arguments[0]) !== null", selector)
        element = self._marionette.find_element("css selector", selector)
        element.send_keys("\n".join(map(str, files)))

    def click(self, name: str) -> None:
        """Click a button or link, once it is there, by its accessible name or its text."""
        found = self.wait(
            """return [...document.querySelectorAll("button, a")].find((element) =>
                [element.ariaLabel, element.innerText].includes(arguments[0]) &&
                element.checkVisibility() && !element.disabled)""",
            name,
        )
        found.click()


@contextmanager
def firefox(directory: Path) -> Iterator[Firefox]:
    """Start Firefox with a profile that is thrown away; without one, the current test is skipped.

    :param directory: for its log.
    """
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        skip_without("Firefox", install="the package firefox-esr")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    marionette = Marionette(
        bin=program,
        headless=True,
        port=port,
        gecko_log=str(directory / "firefox.log"),
        startup_timeout=PATIENCE,
    )
    try:
        marionette.start_session({"strictFileInteractability": False})
        yield Firefox(marionette)
    finally:
        marionette.cleanup()
        marionette.instance = None  # else it looks for the profile as Python ends
