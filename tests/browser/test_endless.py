"""Memory over one very large upload: it does not grow with what is sent."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.endless import Sink, upload

#: Bytes by which the page's heap may differ; each 0.1 GB has at least 40 pieces of its size.
ROUGH = 2 * 2**20


@pytest.mark.parametrize(
    "gigabytes",
    [pytest.param(0.3, marks=pytest.mark.long), pytest.param(100, marks=pytest.mark.full)],
)
def test_memory_is_flat_however_large_the_file_is(
    browser_process: Browser, gigabytes: float
) -> None:
    with Sink(int(gigabytes * 10**9)) as sink, browser_process.new_context() as context:
        first, *others = upload(context.new_page(), sink, 10)
    assert sink.offset == sink.size
    assert max(look.heap for look in others) < first.heap + ROUGH
