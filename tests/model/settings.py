"""What is looked at: storages and scenarios, and the mutants that must be found."""

from __future__ import annotations

from typing import NamedTuple

from .explorer import Role, Scenario, Setting

W, C, R, E, S = Role.WRITER, Role.COMPLETER, Role.REMOVER, Role.EXPIRER, Role.SWEEPER

#: One client or several, that write, complete and remove; the cleaner expires and sweeps.
_SEQUENTIAL = [
    (W, W, W), (W, W, C), (W, C, C), (C, C, R), (W, C, R), (W, W, R), (W, W, E), (W, E, R),
    (W, C, E), (C, R, E), (W, W, S), (W, C, S), (C, R, S), (C, E, S),
]  # fmt: skip
_RANGES = [(W, W, W), (W, W, C), (W, W, R), (W, C, R), (W, E, S)]

LOCAL = Setting(
    "local disk, chunks in order",
    "LOCAL",
    _SEQUENTIAL,
    quick=[(W, C, E), (C, R, E), (C, C, R)],
    sampled=[(W, W, E), (W, W, C)],
)
LOCAL_RANGES = Setting(
    "local disk, chunks in any order", "LOCAL", _RANGES, sampled=[(W, W, C)], parallel=True
)
LOCAL_NAMES = Setting(
    "local disk, another upload wants the name",
    "LOCAL",
    [(C, R, R), (C, R, E), (W, C, R)],
    quick=[(C, R, E)],
    name_is_wanted=True,
)
S3 = Setting(
    "S3, chunks in order",
    "S3",
    _SEQUENTIAL,
    quick=[(C, C, R)],
    sampled=[(W, W, E), (W, W, C), (W, W, W)],
)
S3_RANGES = Setting("S3, chunks in any order", "S3", _RANGES, sampled=[(W, W, C)], parallel=True)
S3_BEGUN = Setting(
    "S3, after a part", "S3", [(W, W, E), (W, W, C), (W, W, R)], sampled=[(W, W, E)], begun=True
)

SETTINGS = [LOCAL, LOCAL_RANGES, LOCAL_NAMES, S3, S3_RANGES, S3_BEGUN]


class Mutant(NamedTuple):
    """A guard that is switched off, where it is needed, and the scenario that shows it."""

    guard: str
    where: Setting
    scenario: Scenario


MUTANTS = [
    Mutant("TOKEN_NOT_COMPARED", LOCAL, (W, W, E)),
    Mutant("TOKEN_NOT_COMPARED", S3, (W, W, E)),
    Mutant("STATUS_NOT_COMPARED", LOCAL, (W, C, R)),
    Mutant("STATUS_NOT_COMPARED", S3, (C, C, R)),
    Mutant("TOKEN_NOT_RAISED", LOCAL, (W, W, E)),
    Mutant("TOKEN_NOT_RAISED", S3, (W, W, E)),
    Mutant("TOKEN_NOT_RAISED_BEYOND", LOCAL_RANGES, (W, W, E)),
    Mutant("LEASE_NOT_CHECKED", LOCAL, (W, W, E)),
    Mutant("LOCK_NOT_HELD", LOCAL, (W, W, E)),
    Mutant("LEASE_NOT_SEEN_AGAIN", LOCAL, (W, W, E)),
    Mutant("LEASE_NOT_SEEN_AGAIN", S3, (W, W, E)),
    Mutant("ENTRIES_KEPT", S3, (W, W, E)),
    Mutant("NOT_READ_AGAIN", LOCAL, (W, W, E)),
    Mutant("RELEASED_WHEN_STATEMENT_BREAKS", LOCAL, (W, W, E)),
    Mutant("COMMITTED_BEFORE_SYNC", LOCAL, (W, W, E)),
    Mutant("COMMITTED_BEFORE_SYNC", S3, (W, W, E)),
    Mutant("TOLD_BEFORE_COMMIT", LOCAL, (W, W, E)),
    Mutant("NUMBERS_USED_AGAIN", S3_BEGUN, (W, W, E)),
    Mutant("HANDED_TO_ANYBODY", S3_BEGUN, (W, W, E)),
    Mutant("EXPIRY_NOT_COMPARED", LOCAL, (W, E, E)),
    Mutant("SWEEPER_INSISTS", LOCAL, (C, S, E)),
    Mutant("SWEEPER_INSISTS", S3, (C, S, E)),
    Mutant("HOOK_NOT_LOCKED", LOCAL, (C, C, E)),
    Mutant("HOOK_NOT_LOCKED", S3, (C, C, E)),
    Mutant("PART_DISCARDED_ALONE", LOCAL, (W, W, E)),
    Mutant("PART_REMOVED_BY_NAME", LOCAL, (W, W, E)),
    Mutant("NAMES_REMOVED_FIRST", LOCAL, (C, R, E)),
    Mutant("NAME_NOT_LOOKED_AT", LOCAL_NAMES, (C, R, E)),
    Mutant("REMOVAL_NOT_LOCKED", LOCAL_NAMES, (C, R, E)),
]
