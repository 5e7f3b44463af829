"""Client × size × fault: unmodified libraries in a real browser, against a real server.

``make test`` runs a share: each client with each size and nothing happening, and each fault with a
file of three chunks. ``make clients`` runs all, 1 GiB included, and writes docs/clients.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import clients
from tests.browser.client import CHUNK, LARGE, LARGE_CHUNK, SIZES, Client, Fault
from tests.browser.site import Sites
from tests.browser.trial import OpenBrowser, Trial, run

CLIENTS: list[Client] = [
    client
    for module in pkgutil.iter_modules(clients.__path__)
    for client in importlib.import_module(f"{clients.__name__}.{module.name}").CLIENTS
]


def cells() -> Iterator[tuple[Client, str, Fault]]:
    """Yield what ``make test`` runs of the matrix."""
    for client in CLIENTS:
        for size in SIZES:
            if SIZES[size] < LARGE:
                yield client, size, Fault.NONE
        for fault in Fault:
            if fault is not Fault.NONE:
                yield client, "2·chunk+1", fault


@pytest.mark.parametrize(
    ("client", "size", "fault"),
    [pytest.param(*cell, id=f"{cell[0].name}-{cell[1]}-{cell[2].value}") for cell in cells()],
)
def test_every_byte_arrives(
    client: Client,
    size: str,
    fault: Fault,
    sites: Sites,
    browser: Browser,
    open_browser: OpenBrowser,
    tmp_path: Path,
) -> None:
    number = SIZES[size]
    site = sites.of(client, chunk=LARGE_CHUNK if number >= LARGE else CHUNK)
    trial = Trial(client, site, browser.new_context(), open_browser, tmp_path, number)
    assert run(trial, fault) == client.expected(fault)
