"""What the matrix must know of a client: one :class:`Client` each, in a module of ``clients/``.

A client is an example page (``examples/clients/*.html``, the very file that users copy and
docs/clients.md quotes) with a library from npm, or a page that the server itself gives. To add
one::

    # tests/browser/clients/dropzone.py
    CLIENTS = [
        Client(
            name="Dropzone 5",
            page="dropzone.html",
            packages={"dropzone": "dropzone-5"},  # the page's name for it: the folder in npm's
            input=".dz-hidden-input",
            done=".dz-success",
            failed=".dz-error",
            retry=lambda page: page.click(".dz-retry"),
            expects={Fault.SERVER_KILLED: Outcome.RETRIED, Fault.RELOADED: Outcome.ANEW, ...},
            why={Fault.RELOADED: "it keeps nothing across pages"},
        )
    ]

Every module in ``clients/`` is found by itself. Then::

    make test ARGS='tests/browser -k "Dropzone 5" -n 0 --database sqlite'
    make clients ARGS='-k "Dropzone 5"'    # all of its cells, into docs/clients.md

An example page keeps what a site would set in ``data-`` attributes, so that the tests can set them
too: :attr:`Client.attributes` replaces their values while the page is being served. Its scripts
have the addresses ``/node_modules/<package>/…``. It shows one element for each file, with the
attribute ``data-state``: ``uploading``, ``done`` or ``failed``, and in a failed one a button that
goes on. A page that does otherwise says how (``done``, ``failed``, ``retry``). Between
``<!-- snippet -->`` and ``<!-- /snippet -->`` stands what docs/clients.md quotes.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import clients
from tests.support.npm import version

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "clients"

#: Bytes of a chunk, except of the largest file's.
CHUNK = 64 * 1024
LARGE, LARGE_CHUNK = 2**30, 8 * 2**20

#: What clients are compared with.
CURL = "curl (examples/upload.sh)"

#: The sizes of the matrix, as they are written.
SIZES = {
    "0": 0,
    "1": 1,
    "chunk−1": CHUNK - 1,
    "chunk": CHUNK,
    "chunk+1": CHUNK + 1,
    "2·chunk+1": 2 * CHUNK + 1,
    "1 GiB": LARGE,
}


class Fault(Enum):
    """What happens in mid-upload; the value is how it is written."""

    NONE = "nothing"
    CUT = "cut in mid-chunk"
    REPLY_LOST = "reply lost, bytes stored"
    LAST_REPLY_LOST = "last reply lost"
    SERVER_KILLED = "server killed, restarted"
    RELOADED = "page reloaded"
    BROWSER_KILLED = "browser or program killed"
    TWO_TABS = "two tabs, one file"
    TWO_FILES = "two tabs, two files"


class Outcome(Enum):
    """How an upload came to its end; the file that was stored is right in each case."""

    ITSELF = "✓"
    RETRIED = "✓ retry"
    ANEW = "– again"


@dataclass(frozen=True)
class Client:
    """A client and what is expected of it. Selectors are CSS.

    :param name: its row in the matrix.
    :param page: file in ``examples/clients``; or, beginning with ``/``, a path at the server.
    :param packages: npm packages, from the name in the page's addresses to the installed folder.
    :param files: addresses below ``/node_modules`` that this version has elsewhere.
    :param attributes: values of the page's ``data-`` attributes besides ``chunk-size``.
    :param chunked: whether it sends chunks at all.
    :param environment: more environment variables of its server; ``{chunk}`` is the chunk's size.
    :param app: a Flask app to run instead of the stand-alone server.
    :param prepare: what to do in a page that has been opened, such as setting options.
    :param input: the file input.
    :param submit: what begins the upload after files were picked; None where picking does.
    :param done: an element for each file that is done; nothing else may match.
    :param failed: an element for each file that has failed for good, if the user does nothing.
    :param retry: what the user does then; None: opens the page and picks the file again.
    :param keeps: whether what arrived of a chunk that breaks off is kept.
    :param remembered: waits until the browser has kept what a page needs that is opened again.
    :param resume: what the user does there; None: picks the file again.
    :param waits: what a tab shows that leaves a file to another tab; None where both send it.
    :param expects: the outcome of each fault; :attr:`Outcome.ITSELF` where not named.
    :param why: for outcomes that need a word.
    :param sizes: of files that ``make test`` tries with nothing happening.
    :param share: faults that ``make test`` tries; fewer for what is much like another client, and
        with none it does not try the client at all.
    """

    name: str
    page: str
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    app: Path | None = None
    prepare: Callable[[Page], object] | None = None
    input: str = "input[type=file]"
    submit: str | None = None
    done: str = "[data-state=done]"
    failed: str = "[data-state=failed]"
    retry: Callable[[Page], object] | None = lambda page: page.click("[data-state=failed] button")
    keeps: bool = False
    remembered: Callable[[Page], object] = lambda page: None
    resume: Callable[[Page, Sequence[Path]], object] | None = None
    waits: str | None = None
    expects: Mapping[Fault, Outcome] = field(default_factory=dict)
    why: Mapping[Fault, str] = field(default_factory=dict)
    sizes: Collection[str] = tuple(SIZES)
    share: Collection[Fault] = tuple(Fault)

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where its page is served."""
        return self.page if self.page.startswith("/") else f"/clients/{self.page}"

    @property
    def source(self) -> Path | None:
        """The file that users copy; None for a page that the server gives."""
        return None if self.page.startswith("/") else EXAMPLES / self.page

    @property
    def endpoint(self) -> str | None:
        """Where its page uploads to, if the page can be told."""
        if "endpoint" in self.attributes or self.source is None:
            return self.attributes.get("endpoint")
        found = re.search('data-endpoint="([^"]*)"', self.source.read_text(encoding="utf-8"))
        return found[1] if found else None

    def settings(self, chunk: int) -> dict[str, str]:
        """Return its server's environment, for chunks of some size."""
        return {k: v.replace("{chunk}", str(chunk)) for k, v in self.environment.items()}

    @property
    def versions(self) -> list[str]:
        """Its libraries with their versions."""
        return [f"{name} {version(folder)}" for name, folder in self.packages.items()]

    def expected(self, fault: Fault) -> Outcome:
        """Return the outcome that a fault should have."""
        return self.expects.get(fault, Outcome.ITSELF)

    def open(self, page: Page, base: str) -> None:
        """Go to the client's page."""
        page.goto(base + self.path, wait_until="load")
        if self.prepare is not None:
            self.prepare(page)

    def begin(self, page: Page, files: Sequence[Path]) -> None:
        """Pick files, as the user would."""
        page.set_input_files(self.input, files)
        if self.submit is not None:
            page.click(self.submit, no_wait_after=True)  # its navigation may never end


def all_clients() -> list[Client]:
    """Return every client, in the order of the modules in ``clients/``."""
    return [
        client
        for module in pkgutil.iter_modules(clients.__path__)
        for client in importlib.import_module(f"{clients.__name__}.{module.name}").CLIENTS
    ]
