"""Rows of the benchmarks, with little to do: that they measure what they name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.contest import Bench
from benchmarks.load import KIB
from benchmarks.results import Measured
from benchmarks.rows import ROWS, variants
from benchmarks.senders import SENDERS


class Small(Bench):
    """A run whose files have two chunks of 64 KiB."""

    def size(self, *, quick: int = 0, normal: int, long: int) -> int:
        return 128 * KIB


def test_growth_is_measured_for_every_number_of_workers_and_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "_WORKERS", (1, 2))
    monkeypatch.setattr(variants, "_CLIENTS", (1, 4))
    [row] = [row for row in ROWS if row.name == "growth-small"]
    measured = Measured(row.name)
    row.measure(Small(tmp_path, repetitions=1), measured)
    assert not measured.skipped
    numbers = [f"{workers} with {clients}" for workers in (1, 2) for clients in (1, 4)]
    assert {key: len(samples) for key, samples in measured.samples.items()} == dict.fromkeys(
        numbers, 1
    )


def test_ordinary_clients_are_measured_beside_the_load_generator(tmp_path: Path) -> None:
    [row] = [row for row in ROWS if row.name == "senders"]
    measured = Measured(row.name)
    row.measure(Small(tmp_path, repetitions=1), measured)
    programs = {"curl": "curl", "node": "node"}  # what may be missing
    expected = {one.key for one in SENDERS if shutil.which(programs.get(one.key, "sh"))}
    assert measured.samples.keys() == expected
    assert all(sample["rate"] > 0 for samples in measured.samples.values() for sample in samples)
