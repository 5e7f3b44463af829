"""docs/clients.md says what was measured and quotes the pages that are tested."""

from __future__ import annotations

from tests.browser.client import Fault, all_clients
from tests.browser.report import PAGE, load, render


def test_the_page_of_clients_is_what_was_measured_and_quotes_the_examples() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(load()), "run make docs"


def test_what_was_measured_is_what_the_tests_expect() -> None:
    cells = load()["cells"]
    for client in all_clients():
        for size, measured in cells.get(client.name, {}).items():
            for fault, outcome in measured.items():
                expected = client.expected(Fault[fault]).name
                assert outcome == expected, f"{client.name}, {size}, {fault}: run make clients"
