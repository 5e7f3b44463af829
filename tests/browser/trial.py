"""One cell of the matrix: a client uploads a file while something happens to it.

:func:`run` drives a browser as the user would and returns how the upload came to its end
(:class:`~tests.browser.client.Outcome`). It raises when it does not, or when what is stored is not,
byte by byte, what was sent.
"""

from __future__ import annotations

import filecmp
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, StorageState

from tests.browser.client import CHUNK, LARGE, LARGE_CHUNK, Client, Fault, Outcome
from tests.browser.proxy import Proxy
from tests.browser.site import Site

#: Milliseconds that a small upload and a large one may take on a busy machine.
PATIENCE, LONG_PATIENCE = 60_000, 600_000

OpenBrowser = Callable[[Path], BrowserContext]


@dataclass
class Trial:
    """A client, a site and a file of some size.

    :param open_browser: starts a browser with a profile on disk, which can be killed.
    :param name: of the file.
    :param tab: the client's page, as an earlier trial left it.
    """

    client: Client
    site: Site
    context: BrowserContext
    open_browser: OpenBrowser
    directory: Path
    size: int
    name: str = "file.bin"
    tab: Page | None = None
    _done: dict[Page, int] = field(default_factory=dict)

    @property
    def proxy(self) -> Proxy:
        return self.site.proxy

    @property
    def chunk(self) -> int:
        """Bytes of a chunk."""
        return LARGE_CHUNK if self.size >= LARGE else CHUNK

    @property
    def chunks(self) -> int:
        """How many chunks the file has, as the client sends it."""
        return max(-(-self.size // self.chunk), 1) if self.client.chunked else 1

    @property
    def middle(self) -> int:
        """Number of the chunk to which something happens."""
        return self.chunks // 2

    def file(self, prefix: str = "") -> Path:
        """Make a file of the trial's size, its content as good as random."""
        return make_file(self.directory / (prefix + self.name), self.size)

    def page(self) -> Page:
        """Return the client's page in a tab of its own, opened where it takes no file any more."""
        page, self.tab = self.tab, None
        if page is None:
            page = self.context.new_page()
            page.set_default_timeout(LONG_PATIENCE if self.size >= LARGE else PATIENCE)
        elif page.locator(self.client.input).count():
            return page
        self.client.open(page, self.site.url)
        return page

    def begin(self, page: Page, file: Path) -> None:
        """Pick a file; earlier ones may be done already."""
        self._done[page] = page.locator(self.client.done).count()
        self.client.begin(page, [file])

    def settle(self, page: Page, file: Path) -> Outcome:
        """Wait for the upload's end; the user does something about a failure, once."""
        if self._ended(page):
            return Outcome.ITSELF
        if self.client.retry is None:
            self.client.open(page, self.site.url)
            return self.picked_again(page, file)
        self.client.retry(page)
        page.locator(self.client.failed).wait_for(state="detached")
        assert self._ended(page), f"failed again: {page.inner_text('body')}"
        return Outcome.RETRIED

    def _ended(self, page: Page) -> bool:
        """Wait until the file is done (True) or has failed (False)."""
        client = self.client
        ended = page.locator(f"{client.done}, {client.failed}")
        ended.nth(self._done[page]).wait_for(state="attached")
        return page.locator(client.failed).count() == 0

    def picked_again(self, page: Page, file: Path) -> Outcome:
        """In a page that was opened anew: pick the file again; tells whether it went on."""
        before = len(self.proxy.chunks)
        if self.client.resume is None:
            self.begin(page, file)
        else:
            self._done[page] = page.locator(self.client.done).count()
            self.client.resume(page, [file])
        assert self._ended(page), f"failed again: {page.inner_text('body')}"
        sent = sum(request.received for request in self.proxy.chunks[before:])
        return Outcome.RETRIED if sent < self.size else Outcome.ANEW


def run(trial: Trial, fault: Fault) -> Outcome:
    """Upload while ``fault`` happens, and check what is stored."""
    before = trial.site.stored()
    outcome, files = PLAYS[fault](trial)
    # Also what a page sent that has gone: chunks sent at once may make a file whole without it.
    trial.proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    stored = trial.site.stored() - before
    compare(stored, files)
    if trial.size >= LARGE:
        for path in {*stored, *files}:
            path.unlink()
    if outcome is Outcome.ANEW and trial.chunks > 1:
        assert trial.site.unfinished() or len(stored) > len(files), "nothing of the first is left"
    return _told(trial, fault, outcome)


def _told(trial: Trial, fault: Fault, outcome: Outcome) -> Outcome:
    """Return an outcome as the matrix tells it."""
    expected = trial.client.expected(fault)
    picked = {Outcome.RETRIED, Outcome.ANEW}
    kept = trial.size // 2 if trial.client.keeps else trial.middle
    if kept == 0 and outcome in picked and expected in picked:
        return expected  # of one chunk there is nothing to go on from
    if fault is Fault.TWO_TABS and expected is Outcome.RETRIED:
        return expected  # who comes first is chance
    if not trial.client.chunked and expected is Outcome.ANEW and len(trial.proxy.chunks) > 1:
        return expected  # Chromium sends a form again by itself, but not always
    return outcome


def compare(stored: set[Path], files: list[Path]) -> None:
    """Check that each file is stored, and nothing else is."""
    for path in stored:
        assert any(filecmp.cmp(path, file, shallow=False) for file in files), f"{path} differs"
    for file in files:
        assert any(filecmp.cmp(path, file, shallow=False) for path in stored), f"{file} is missing"


Ending = tuple[Outcome, list[Path]]


def _nothing(trial: Trial) -> Ending:
    return _upload(trial)


def _cut(trial: Trial) -> Ending:
    return _upload(trial, trial.proxy.cut(trial.middle).wait)


def _reply_lost(trial: Trial) -> Ending:
    return _without_reply(trial, trial.middle)


def _last_reply_lost(trial: Trial) -> Ending:
    return _without_reply(trial, trial.chunks - 1)


def _without_reply(trial: Trial, chunk: int) -> Ending:
    ending = _upload(trial, trial.proxy.lose_reply(chunk).wait)
    status = trial.proxy.chunks[chunk].status
    assert status is not None, "the server did not answer"
    assert status < 400, f"the server had not stored the bytes: {status}"
    return ending


def _upload(trial: Trial, meanwhile: Callable[[], None] = lambda: None) -> Ending:
    file, page = trial.file(), trial.page()
    trial.begin(page, file)
    meanwhile()
    return trial.settle(page, file), [file]


def _server_killed(trial: Trial) -> Ending:
    file, page = trial.file(), trial.page()
    fault = trial.proxy.hold(trial.middle)
    trial.begin(page, file)
    fault.wait()
    trial.site.server.kill()
    fault.release()
    _until_noticed(trial, page)
    trial.site.restart()
    return trial.settle(page, file), [file]


def _until_noticed(trial: Trial, page: Page) -> None:
    """Wait until the client has met the dead server: it asked in vain, or has given up."""
    failed = page.locator(trial.client.failed)
    while not trial.proxy.refused and not failed.count():
        page.wait_for_timeout(20)


def _reloaded(trial: Trial) -> Ending:
    file, page = trial.file(), trial.page()
    with _held(trial, page, file):
        trial.client.open(page, trial.site.url)
        return trial.picked_again(page, file), [file]


def _browser_killed(trial: Trial) -> Ending:
    file = trial.file()
    profile = trial.directory / "profile"
    trial.context, trial.tab = trial.open_browser(profile), None
    page = trial.page()
    with _held(trial, page, file):
        state = trial.context.storage_state()
        kill(profile)
        trial.context = trial.open_browser(profile)
        _restore(trial, state)
        outcome = trial.picked_again(trial.page(), file)
        trial.context.close()
    return outcome, [file]


def _restore(trial: Trial, state: StorageState) -> None:
    """Give a browser what Chromium writes to disk after 30 seconds (cookies) or 5 (localStorage).

    The one that was killed was not given the time. IndexedDB is written at once.
    """
    trial.context.add_cookies(
        [
            {"name": cookie["name"], "value": cookie["value"], "url": trial.site.url}
            for cookie in state["cookies"]
        ]
    )
    items = [item for origin in state["origins"] for item in origin["localStorage"]]
    if items:
        script = "for (const { name, value } of {}) localStorage.setItem(name, value);"
        trial.context.add_init_script(script.replace("{}", json.dumps(items), 1))


@contextmanager
def _held(trial: Trial, page: Page, file: Path) -> Iterator[None]:
    """Stop a chunk in its middle; the server sees its rest only at the end."""
    fault = trial.proxy.hold(trial.middle)
    trial.begin(page, file)
    fault.wait()
    if trial.size and trial.client.keeps:
        trial.client.remembered(page)
    yield
    fault.finish()


def _two_tabs(trial: Trial) -> Ending:
    return _tabs(trial, [trial.file()] * 2, waits=trial.client.waits)


def _two_files(trial: Trial) -> Ending:
    files = [trial.file("one-"), trial.file("two-")]
    # Files of the same bytes, as empty ones are, may be sent one after the other.
    return _tabs(trial, files, waits=None if trial.size else trial.client.waits)


def _tabs(trial: Trial, files: list[Path], *, waits: str | None = None) -> Ending:
    """The second tab begins while a chunk of the first one is on its way."""
    pages = [trial.page(), trial.page()]
    fault = trial.proxy.hold(trial.middle)
    trial.begin(pages[0], files[0])
    fault.wait()
    so_far = len(trial.proxy.chunks)
    trial.begin(pages[1], files[1])
    if waits is None:
        trial.proxy.wait(lambda proxy: len(proxy.chunks) > so_far)
    else:
        pages[1].wait_for_selector(waits)
    fault.release()
    outcomes = [trial.settle(page, file) for page, file in zip(pages, files, strict=True)]
    worst = Outcome.RETRIED if Outcome.RETRIED in outcomes else Outcome.ITSELF
    return worst, files


PLAYS: dict[Fault, Callable[[Trial], Ending]] = {
    Fault.NONE: _nothing,
    Fault.CUT: _cut,
    Fault.REPLY_LOST: _reply_lost,
    Fault.LAST_REPLY_LOST: _last_reply_lost,
    Fault.SERVER_KILLED: _server_killed,
    Fault.RELOADED: _reloaded,
    Fault.BROWSER_KILLED: _browser_killed,
    Fault.TWO_TABS: _two_tabs,
    Fault.TWO_FILES: _two_files,
}


def make_file(path: Path, size: int) -> Path:
    """Write a file no two 64 KiB of which are the same; 1 GiB takes a second."""
    block = os.urandom(64 * 1024 - 8)
    with path.open("wb") as file:
        for number in range(-(-size // (len(block) + 8))):
            file.write(block + number.to_bytes(8))
        file.truncate(size)
    return path


def kill(profile: Path) -> None:
    """SIGKILL the Chromium of a profile, all of its processes at once."""
    parents = dict(_processes())
    argument = b"--user-data-dir=" + os.fsencode(profile)
    doomed = {pid for pid in parents if argument in _command(pid)}
    assert doomed, f"no browser runs with {profile}"
    while more := {pid for pid, parent in parents.items() if parent in doomed} - doomed:
        doomed |= more
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int]]:
    """Yield every process's id and its parent's."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield (
                    int(entry.name),
                    int((entry / "stat").read_text().rpartition(")")[2].split()[1]),
                )


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
