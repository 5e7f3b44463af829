"""What the browser tests share: sites that last for a worker, and browsers that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright

from tests.browser.site import Sites
from tests.support.browser import persistent_context


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Servers behind a network with faults, one for each configuration."""
    with Sites(tmp_path_factory.mktemp("sites")) as running:
        yield running


@pytest.fixture
def open_browser(playwright: Playwright) -> Iterator[Callable[[Path], BrowserContext]]:
    """Start browsers of their own; ``open_browser(profile)``."""
    contexts: list[BrowserContext] = []

    def start(profile: Path) -> BrowserContext:
        contexts.append(persistent_context(playwright, profile))
        return contexts[-1]

    yield start
    for context in contexts:
        context.close()
