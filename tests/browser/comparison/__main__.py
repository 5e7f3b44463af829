"""Run the four pages in Chromium, and write what came of it (docs/page.md has the table)."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.comparison import table
from tests.browser.comparison.bench import Bench
from tests.browser.comparison.peers import KNOWN, PEERS, Peer, build_uppy
from tests.browser.comparison.table import RESULTS
from tests.browser.comparison.trials import TRIALS
from tests.support import browser as chromium


def main() -> None:
    """Run all trials, or those and of those pages that are named, and write what came of it."""
    wanted = set(sys.argv[1:])
    peers = [peer for peer in PEERS if peer.path in wanted] or PEERS
    trials = [trial for trial in TRIALS if trial.__name__ in wanted] or TRIALS
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as made:
        browser = chromium.launch(playwright)
        build_uppy(Path(made))
        for peer in peers:
            with tempfile.TemporaryDirectory() as directory:
                bench = Bench(peer, browser, Path(directory), Path(made))
                for trial in trials:
                    _note(peer, trial.__name__, _came_of(trial, bench))
                bench.close()
        browser.close()
    table.write(KNOWN)


def _came_of(trial: Callable[[Bench], dict[str, Any]], bench: Bench) -> dict[str, Any]:
    try:
        return trial(bench)
    except Exception as error:  # the others go on
        return {"failed": str(error)[:300]}


def _note(peer: Peer, trial: str, came: dict[str, Any]) -> None:
    """Print it, and keep it in place of what came of the same trial before."""
    print(peer.name, trial, json.dumps(came), flush=True)
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "{}"
    found = {**{each.title: {} for each in PEERS}, **json.loads(text)}
    found[peer.title][trial] = came
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
