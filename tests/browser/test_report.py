"""docs/clients.md says what was measured and quotes the pages that are tested."""

from __future__ import annotations

from pathlib import Path

from tests.browser.client import Fault, all_clients
from tests.browser.report import PAGE, everybody, load, merge, render


def test_the_page_of_clients_is_what_was_measured_and_quotes_the_examples() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(load()), "run make docs"


def test_what_was_measured_is_what_the_tests_expect() -> None:
    cells = load()["cells"]
    for client in everybody():
        for size, measured in cells.get(client.name, {}).items():
            for fault, outcome in measured.items():
                expected = client.expected(Fault[fault]).name
                assert outcome == expected, f"{client.name}, {size}, {fault}: run make clients"


def test_a_cell_that_failed_is_shown_as_failed_until_it_passes(tmp_path: Path) -> None:
    client, results = next(iter(all_clients())), load()
    passed = """<testsuite><testcase><properties>
        <property name="client" value="{}"/><property name="size" value="1 GiB"/>
        <property name="fault" value="CUT"/><property name="chromium" value="1"/>
        <property name="outcome" value="ITSELF"/></properties>{}</testcase></testsuite>"""
    junit = tmp_path / "matrix.xml"
    shown = "**failed**: 1 GiB"
    for problem in ("<failure>no</failure>", "<error>at its end</error>"):
        junit.write_text(passed.format(client.name, problem))
        merge(results, junit)
        assert shown in render(results)
    junit.write_text(passed.format(client.name, ""))
    merge(results, junit)
    assert shown not in render(results)
