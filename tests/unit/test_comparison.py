"""The table of docs/page.md that compares the page with others is made from what they did."""

from __future__ import annotations

import json

from tests.browser.comparison import table
from tests.browser.comparison.peers import KNOWN


def test_the_table_says_what_came_of_the_trials() -> None:
    results = json.loads(table.RESULTS.read_text(encoding="utf-8"))
    assert table.render(results, KNOWN) in table.PAGE.read_text(encoding="utf-8")
