"""The client library in a page that does nothing but note what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Route

from tests.browser.proxy import Proxy
from tests.browser.site import Site
from tests.support.missing import skip_without
from tests.support.server import Server
from tests.support.site import Stored

ROOT = Path(__file__).parents[2]
PAGE = (Path(__file__).parent / "library.html").read_bytes()

#: Bytes of a chunk in these tests, unless they say otherwise.
CHUNK = 64 * 1024

#: So that tests do not wait for long; each new try takes as long.
QUICK = [50]


class Network:
    """A server behind a network with faults, as one test sees it."""

    def __init__(self, site: Site) -> None:
        if not site.server.running:  # a test that killed it has failed
            site.restart()
        site.proxy.clear()
        self.proxy: Proxy = site.proxy
        self.server: Server = site.server
        self.restart = site.restart
        self.records = Stored(site.server.instance, None)
        self._site = site
        self._before = site.stored()
        self._unfinished = site.unfinished()

    def expire(self, upload_id: str) -> None:
        """Set the time of an upload to be up.

        The server stops meanwhile: it may still be recording what arrived before a line was cut,
        and with it when the upload expires.
        """
        self.server.kill()
        self.records.expire(upload_id)
        self.restart()

    @property
    def stored(self) -> list[Path]:
        """The files that were completed in this test."""
        return sorted(self._site.stored() - self._before)

    @property
    def unfinished(self) -> list[Path]:
        """The parts of uploads that were begun in this test and not completed."""
        return sorted(self._site.unfinished() - self._unfinished)

    @property
    def sent(self) -> int:
        """Bytes of chunks that came from browsers, the forms around them included."""
        return sum(request.received for request in self.proxy.chunks)


class LibraryPage:
    """A tab with the library; ``at`` is the number of the upload, in the order of picking.

    :param proxy: the network to the server; it also serves the page.
    :param options: the uploader's, over a small chunk size and quick retries.
    """

    def __init__(self, context: BrowserContext, proxy: Proxy, **options: Any) -> None:
        if not (ROOT / "static" / "vendor" / "md5.umd.min.js").exists():
            skip_without("hash-wasm", install="npm's packages: make vendor")
        proxy.files = {"/library.html": PAGE}.get
        self.problems: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.options = {"chunkSize": CHUNK, "retryDelays": QUICK, **options}
        self.url = f"{proxy.url}/library.html"
        self.open()

    def open(self) -> None:
        """Load the page, or load it again."""
        self.page.goto(self.url)
        self.evaluate("options => begin(options)", self.options)

    def pick(self, *files: Path) -> None:
        """Choose files, as a user does; each is added."""
        self.page.set_input_files("input", files)

    def wait_for_checkpoint(self, checksum: str) -> None:
        """Wait until the browser has noted how far the worker has read, to resume from there."""
        self.evaluate(
            """async (checksum) => {
                const noted = async () => (await new ChunkedUploader().remembered())[0];
                const sleep = () => new Promise((then) => setTimeout(then, 50));
                while (!(await noted()).checkpoint?.[checksum]) await sleep();
            }""",
            checksum,
        )

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script in the page."""
        return self.page.evaluate(script, argument)

    def call(self, method: str, at: int = 0) -> Any:
        """Call a method of an upload; its promise is awaited."""
        return self.evaluate("([at, name]) => uploads[at][name]()", [at, method])

    def look(self, at: int = 0) -> dict[str, Any]:
        """Return an upload's properties and what it told."""
        seen: dict[str, Any] = self.evaluate("at => look(at)", at)
        return seen

    def until(self, state: str, at: int = 0) -> dict[str, Any]:
        """Wait until an upload is in a state, or waits for a reason (``waiting: unreachable``).

        :raises AssertionError: when it fails instead, telling why.
        """
        script = """([at, wanted]) => {
            const { state, waiting } = uploads[at] ?? {};
            const now = waiting ? `${state}: ${waiting.reason}` : state;
            return (now === wanted || state === "failed") && look(at);
        }"""
        # What it was then: a moment later it may have gone on.
        seen: dict[str, Any] = self.page.wait_for_function(script, arg=[at, state]).json_value()
        assert seen["state"] == state.partition(":")[0], seen
        return seen

    def done(self, at: int = 0) -> dict[str, Any]:
        """Wait until an upload is done; nothing in the page went wrong meanwhile."""
        seen = self.until("done", at)
        assert self.problems == []
        return seen

    @contextmanager
    def answered(self, pattern: str, **answer: Any) -> Iterator[list[Route]]:
        """Answer requests in the server's place; yields those that came.

        :param pattern: of URLs, such as ``**/uploads/complete``.
        :param answer: what Playwright's ``Route.fulfill`` takes: ``status``, ``json``, ``headers``.
        """
        came: list[Route] = []

        def fulfill(route: Route) -> None:
            came.append(route)
            route.fulfill(**answer)

        self.page.route(pattern, fulfill)
        yield came
        self.page.unroute(pattern)

    def failed(self, at: int = 0) -> dict[str, Any]:
        """Wait until an upload has failed; return its error."""
        error: dict[str, Any] = self.until("failed", at)["error"]
        return error
