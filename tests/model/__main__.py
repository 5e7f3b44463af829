"""``make model``: print what was looked at, and whether invariants held and mutants fell."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .explorer import Explorer, Found, Scenario, Setting, invariants, missing
from .settings import MUTANTS, SETTINGS, Mutant

#: Bits of a sample (explorer.py), and of a long one: about five million states, and three hundred.
_BITS, _LONG_BITS = 24, 30

#: Samples in which a mutant is looked for, one after the other: bits and random order.
_SEARCHES = [(_BITS, 1), (_BITS, 2), (_BITS, 3), (27, 1), (27, 2)]


def main() -> int:
    """Look at everything; return 1 when an invariant does not hold or a mutant was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--long", action="store_true", help="every scenario, for hours")
    long = parser.parse_args().long
    if (package := missing()) is not None:
        print(f"make model needs {package}: install it with apt", file=sys.stderr)
        return 2
    print("Invariants:", ", ".join(invariants()), flush=True)
    right = [_look_at(storage, long) for storage in ("LOCAL", "S3")]
    return 0 if all(right) else 1


def _look_at(storage: str, long: bool) -> bool:
    settings = [each for each in SETTINGS if each.storage == storage]
    mutants = [each for each in MUTANTS if each.where.storage == storage]
    with tempfile.TemporaryDirectory() as folder:
        explorer = Explorer(storage, Path(folder))
        held = [
            _holds(explorer, each, scenario, long)
            for each in settings
            for scenario in (each.scenarios if long else (*each.quick, *each.sampled))
        ]
        fell = [_falls(explorer, each) for each in mutants]
    print(f"{sum(fell)} of {len(fell)} mutants found", flush=True)
    return all(held + fell)


def _holds(explorer: Explorer, setting: Setting, scenario: Scenario, long: bool) -> bool:
    found = None
    if long or scenario in setting.quick:
        found = explorer.look_at_all(setting, scenario)
    if found is None:
        bits = _LONG_BITS if long else _BITS
        found = explorer.look_at_some(setting, scenario, bits=bits)
    how = "all states" if found.complete else "a sample"
    said = f"BROKEN: {found.broken}\n{found.steps}" if found.broken else "every invariant holds"
    _tell(found, f"{how} of {_named(setting, scenario)}: {said}")
    return found.broken is None


def _falls(explorer: Explorer, mutant: Mutant) -> bool:
    for bits, seed in _SEARCHES:
        found = explorer.look_at_some(
            mutant.where, mutant.scenario, bits=bits, seed=seed, without=mutant.guard
        )
        if found.broken:
            break
    said = f"breaks {found.broken}" if found.broken else "NOT FOUND"
    _tell(found, f"mutant {mutant.guard} in {_named(mutant.where, mutant.scenario)}: {said}")
    return found.broken is not None


def _named(setting: Setting, scenario: Scenario) -> str:
    roles = ", ".join(role.name.lower() for role in scenario)
    return f"{setting.name} ({roles})"


def _tell(found: Found, what: str) -> None:
    print(f"{found.states:>10,}  {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
