"""Client × size × fault: unmodified libraries in a real browser, against a real server.

``make test`` runs a share: most clients with each size and nothing happening, and each fault with a
file of three chunks. ``make clients`` runs all, 1 GiB included, and writes docs/clients.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.client import CHUNK, LARGE, LARGE_CHUNK, SIZES, Client, Fault, all_clients
from tests.browser.site import Sites
from tests.browser.trial import OpenBrowser, Trial, run

#: What ends a page.
_GONE = (Fault.RELOADED, Fault.BROWSER_KILLED)

#: The size at which every fault is tried in each run.
_USUAL = "2·chunk+1"


def cells() -> Iterator[object]:
    """Yield the whole matrix; what only ``make clients`` runs is marked."""
    for client in all_clients():
        for size, number in SIZES.items():
            for fault in Fault:
                if client.resume and not number and fault in _GONE:
                    continue  # of an empty file, nothing can be brought back
                large = number >= LARGE
                usual = (size == _USUAL and fault in client.share) or (
                    fault is Fault.NONE and client.share and size in client.sizes and not large
                )
                marks = [] if usual else [pytest.mark.full]
                if large:
                    marks.append(pytest.mark.timeout(900))
                cell_id = f"{client.name}-{size}-{fault.value}"
                yield pytest.param(client, size, fault, id=cell_id, marks=marks)


@pytest.mark.parametrize(("client", "size", "fault"), list(cells()))
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
    # Only a script can tell what happened without the browser's own page about it.
    browser: Browser = request.getfixturevalue("browser" if client.chunked else "whole_browser")
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
