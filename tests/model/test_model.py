"""The short form of ``make model``: all states of one scenario, and mutants that it must show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.explorer import Explorer, missing
from tests.model.settings import LOCAL, S3, C, E, R
from tests.support.missing import skip_without

pytestmark = [pytest.mark.one_database, pytest.mark.long]


def explorer(storage: str, folder: Path) -> Explorer:
    if (package := missing()) is not None:
        skip_without("spin and gcc", install=package)
    return Explorer(storage, folder, optimised=False)


def test_every_order_of_completion_removal_and_expiry_on_a_disk(tmp_path: Path) -> None:
    model = explorer("LOCAL", tmp_path)
    found = model.look_at_all(LOCAL, (C, R, E))
    assert found is not None
    assert found.complete, found.steps
    assert found.states > 400_000  # that they are looked at, and not cut off by a slip in the model
    for guard in ("STATUS_NOT_COMPARED", "NAMES_REMOVED_FIRST"):
        mutant = model.look_at_all(LOCAL, (C, R, E), without=guard)
        assert mutant is not None
        assert mutant.broken, guard


def test_two_completions_and_expiry_in_every_order_on_a_store(tmp_path: Path) -> None:
    model = explorer("S3", tmp_path)
    found = model.look_at_all(S3, (C, C, E))
    assert found is not None
    assert found.complete, found.steps
    for guard in ("STATUS_NOT_COMPARED", "HOOK_NOT_LOCKED"):
        mutant = model.look_at_all(S3, (C, C, E), without=guard)
        assert mutant is not None
        assert mutant.broken, guard
