"""A site for the clients: the real server, the network in front of it, pages and libraries.

Servers take seconds to start, so that a pytest worker keeps one for each configuration
(:class:`Sites`). What a trial stored is known by comparing the files before and after.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.browser.client import CHUNK, Client
from tests.browser.proxy import Proxy
from tests.support import npm
from tests.support.server import Server


class AppServer(Server):
    """A Flask app under ``flask run``, copied into ``directory``, where its instance folder is."""

    def __init__(self, directory: Path, app: Path, environment: dict[str, str]) -> None:
        shutil.copy(app, directory / "app.py")
        command = [sys.executable, "-m", "flask", "--app", "app.py", "run", "--port", "{port}"]
        super().__init__(directory, environment, command)

    def wait_until_up(self, seconds: float = 60) -> None:
        """Wait until it answers anything."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the app does not answer:\n{self.log.read_text()}")


class Site:
    """A server behind a :class:`Proxy` that also serves a client's page; use it in ``with``."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.proxy = Proxy(server.port)
        self.proxy.files = self._file
        self._pages: dict[str, bytes] = {}
        self._packages: Mapping[str, str] = {}
        self._moved: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        """Base URL for browsers."""
        return self.proxy.url

    def publish(self, client: Client, chunk: int = CHUNK) -> None:
        """Serve a client's page, its ``data-`` attributes set."""
        self.proxy.clear()
        self._packages, self._moved = client.packages, client.files
        for folder in client.packages.values():
            npm.package(folder)  # else the test is skipped
        if client.source is None:
            return
        text = client.source.read_text(encoding="utf-8")
        chunk_size = {"chunk-size": str(chunk)} if client.chunked else {}
        for name, value in {**chunk_size, **client.attributes}.items():
            text, found = re.subn(rf'(data-{name}=")[^"]*(")', rf"\g<1>{value}\g<2>", text)
            assert found, f"{client.page} has no attribute data-{name}"
        self._pages = {client.path: text.encode()}

    def stored(self) -> set[Path]:
        """Return the completed files that the server keeps."""
        folders = self.server.directory.rglob("chunked_uploads")
        return {path for folder in folders for path in folder.rglob("*") if path.is_file()}

    def unfinished(self) -> set[Path]:
        """Return the files of uploads that are not complete."""
        return set(self.server.directory.rglob(".incoming/*/*.part"))

    def restart(self) -> None:
        """Start the server again, on its port."""
        self.server.start()

    def _file(self, path: str) -> bytes | None:
        if path in self._pages:
            return self._pages[path]
        match = re.fullmatch(r"/node_modules/(\w[\w-]*)/([\w./-]+)", path)
        if match is None or ".." in path:
            return None
        package, name = match.groups()
        if f"{package}/{name}" in self._moved:
            return (npm.MODULES / self._moved[f"{package}/{name}"]).read_bytes()
        return (npm.MODULES / self._packages.get(package, package) / name).read_bytes()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.server)
            stack.enter_context(self.proxy)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()


class Sites:
    """The sites of a pytest worker, one for each way to configure the server; in ``with``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sites: dict[object, Site] = {}
        self._stack = ExitStack()

    def of(self, client: Client, chunk: int = CHUNK) -> Site:
        """Return the site for a client, its page published and its server running."""
        settings = client.settings(chunk)
        key = (client.app, *sorted(settings.items()))
        if key not in self._sites:
            directory = self._directory / str(len(self._sites))
            directory.mkdir()
            server = (
                Server(directory, settings)
                if client.app is None
                else AppServer(directory, client.app, settings)
            )
            self._sites[key] = self._stack.enter_context(Site(server))
        site = self._sites[key]
        if not site.server.running:  # a trial that killed it has failed
            site.restart()
        site.publish(client, chunk)
        return site

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()
        shutil.rmtree(self._directory)
