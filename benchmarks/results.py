"""What was measured, as JSON: one entry per row, so that rows can be run one by one and merged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .workshop import REPOSITORY, tell


@dataclass
class Measured:
    """One row as it was measured.

    :param setup: sizes, clients and repetitions, in words.
    :ivar samples: each contestant's runs in order; the n-th of all were neighbours in time.
    :ivar skipped: who did not take part (to the end), and why.
    """

    row: str
    setup: str = ""
    ran: str = ""
    commit: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    samples: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)

    def skip(self, key: str, reason: str) -> None:
        """Note that a contestant does not take part; what it did before does not count."""
        tell(f"{self.row}: {key} is left out: {reason}")
        # One line, and nothing of where things lie on this machine, for what is published.
        self.skipped[key] = reason.strip().partition("\n")[0].replace(f"{REPOSITORY}/", "")
        self.samples.pop(key, None)

    def values(self, key: str, metric: str) -> list[float]:
        """Return one contestant's runs of a metric."""
        return [sample[metric] for sample in self.samples.get(key, []) if metric in sample]

    def metrics(self) -> list[str]:
        """Return the names of all metrics, in the order of their coming."""
        return list(dict.fromkeys(m for runs in self.samples.values() for run in runs for m in run))


@dataclass
class Results:
    """All rows, and the machine that they were measured on."""

    machine: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Measured] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read a file; what is not there yet is empty."""
        if not path.exists():
            return cls()
        stored: Mapping[str, Any] = json.loads(path.read_text())
        rows = {name: Measured(**row) for name, row in stored["rows"].items()}
        return cls(dict(stored["machine"]), rows)

    def add(self, measured: Measured) -> None:
        """Put in a row, in place of an older one."""
        self.rows[measured.row] = measured

    def save(self, path: Path) -> None:
        """Write the file; a crash in between leaves the old one."""
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self), indent=1) + "\n")
        beside.replace(path)
