"""What the tests of the extension share."""

from __future__ import annotations

import os
import socket
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self

from werkzeug.test import TestResponse

from tests.support import preloaded
from tests.support.ports import free_port


def answer(response: TestResponse) -> Any:
    """Return the JSON of a successful answer."""
    assert response.status_code == 200, response.text
    return response.get_json()


def refusal(response: TestResponse) -> tuple[int, str]:
    """Return status and ``detail`` of a refused request."""
    return response.status_code, (response.get_json() or {}).get("detail", "")


class FlaskProcess:
    """``flask --app APP run`` as a real process on a free port, for as long as the block lasts.

    :param app: what ``--app`` names: a file, or a module in the working directory.
    :param directory: working directory.
    :param environment: more environment variables.
    """

    def __init__(self, app: Path | str, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.log = directory / "flask.log"
        self._port = free_port()
        self._command = [sys.executable, "-m", "flask", "--app", str(app), "run"]
        self._environment = {**os.environ, **environment}

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = preloaded.start(
                [*self._command, "--port", str(self._port)],
                cwd=self.directory,
                env=self._environment,
                output=log,
            )
        deadline = time.monotonic() + 60
        while not self._listens():
            ended = self._process.poll() is not None or time.monotonic() > deadline
            assert not ended, self.log.read_text()
            time.sleep(0.01)
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
        except OSError:
            return False
        return True


class Elements(HTMLParser):
    """The elements of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag]
