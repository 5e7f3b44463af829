"""Client × size × fault: unmodified libraries in a real browser, against a real server.

``make test`` runs a share, that of each client in one tab: most clients with each size and nothing
happening, and each fault with a file of three chunks. ``make clients`` runs all, 1 GiB included,
each cell as somebody new, and writes docs/clients.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.client import CHUNK, LARGE, LARGE_CHUNK, SIZES, Client, Fault, all_clients
from tests.browser.site import Sites
from tests.browser.trial import OpenBrowser, Trial, run
from tests.support.tabs import Browser

#: What ends a page.
_GONE = (Fault.RELOADED, Fault.BROWSER_KILLED)

#: The size at which every fault is tried in each run.
_USUAL = "2·chunk+1"


def cells() -> Iterator[tuple[Client, str, Fault]]:
    """Yield the whole matrix."""
    for client in all_clients():
        for size, number in SIZES.items():
            for fault in Fault:
                if client.resume and not number and fault in _GONE:
                    continue  # of an empty file, nothing can be brought back
                yield client, size, fault


def share(client: Client) -> list[tuple[str, Fault]]:
    """Return what ``make test`` runs of a client."""
    return [
        (size, fault)
        for owner, size, fault in cells()
        if owner == client and SIZES[size] < LARGE
        if (size == _USUAL and fault in client.share)
        or (fault is Fault.NONE and client.share and size in client.sizes)
    ]


def browser_of(client: Client, request: pytest.FixtureRequest) -> Browser:
    # Only a script can tell what happened without the browser's own page about it.
    browser: Browser = request.getfixturevalue("browser" if client.chunked else "whole_browser")
    return browser


@pytest.mark.parametrize("client", [one for one in all_clients() if one.share], ids=str)
def test_a_share_of_the_matrix_in_one_tab(
    client: Client,
    sites: Sites,
    request: pytest.FixtureRequest,
    open_browser: OpenBrowser,
    tmp_path: Path,
) -> None:
    """One file after the other; most of a cell's time went into a page of its own."""
    browser = browser_of(client, request)
    context, tab = browser.new_context(), None
    for number, (size, fault) in enumerate(share(client)):
        file = f"{number}.bin"
        trial = Trial(
            *(client, sites.of(client), context, open_browser, tmp_path, SIZES[size], file, tab)
        )
        try:
            assert run(trial, fault) == client.expected(fault)
        except BaseException as problem:
            problem.add_note(f"in the cell: {size}, {fault.value}")
            raise
        tab, *others = context.pages
        for other in others:
            other.close()
        if client.resume:  # its page brings back what is done, too
            browser.take_back(sound=True)
            context, tab = browser.new_context(), None


@pytest.mark.full
@pytest.mark.parametrize(
    ("client", "size", "fault"),
    [
        pytest.param(
            *(client, size, fault),
            id=f"{client}-{size}-{fault.value}",
            marks=[pytest.mark.timeout(900)] if SIZES[size] >= LARGE else [],
        )
        for client, size, fault in cells()
    ],
)
def test_every_byte_arrives(
    client: Client,
    size: str,
    fault: Fault,
    sites: Sites,
    request: pytest.FixtureRequest,
    open_browser: OpenBrowser,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    browser = browser_of(client, request)
    number = SIZES[size]
    site = sites.of(client, chunk=LARGE_CHUNK if number >= LARGE else CHUNK)
    context = browser.new_context()
    trial = Trial(client, site, context, open_browser, tmp_path, number)
    for name, value in {
        "client": client.name,
        "size": size,
        "fault": fault.name,
        "chromium": browser.version,
    }.items():
        record_property(name, value)
    outcome = run(trial, fault)
    context.close()
    record_property("outcome", outcome.name)
    assert outcome == client.expected(fault)
