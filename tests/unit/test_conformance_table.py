"""The tests that docs/conformance.md names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NAMED = sorted(
    set(
        re.findall(
            r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (PROJECT / "docs/conformance.md").read_text()
        )
    )
)


def test_there_are_some() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    source = (PROJECT / path).read_text()
    assert not name or re.search(rf"^\s*def {name}\(", source, re.MULTILINE)
