"""Every system call of each operation failing once: I/O error, no room, no descriptors, read-only.

The answer is the clear one for the fault, or what success says when the call did not matter;
nothing acknowledged changes, and the same request then moves on.
"""

from __future__ import annotations

from tests.faults.support_offset_operations import OFFSET_OPERATIONS
from tests.faults.support_operations import Operations
from tests.faults.support_trial import OPERATIONS, Trial, warm_up
from tests.support.scorecard import BOTH, EVERY, STRACE, Run, Size, row

#: Which calls fail how, and the answer.
FAULTS = {
    "EIO": (
        {"pwrite64", "ftruncate", "fsync", "fdatasync", "linkat", "mkdir", "openat", "unlink"},
        503,
    ),
    "ENOSPC": ({"pwrite64", "linkat", "mkdir", "openat"}, 507),
    "EMFILE": ({"openat"}, 503),
    "EROFS": ({"openat", "linkat", "mkdir", "unlink"}, 503),
}


@row("a failing call: EIO", databases=EVERY, needs=[STRACE], exhaustive=True)
def test_an_io_error_in_any_call_is_answered_and_the_request_can_be_repeated(run: Run) -> None:
    fail_every_call(run, "EIO")


@row("a failing call: ENOSPC", databases=EVERY, needs=[STRACE], exhaustive=True)
def test_no_room_for_any_call_is_answered_and_the_request_can_be_repeated(run: Run) -> None:
    fail_every_call(run, "ENOSPC")


@row("a failing call: EMFILE", databases=BOTH, needs=[STRACE], exhaustive=True)
def test_no_descriptor_for_any_call_is_answered_and_the_request_can_be_repeated(run: Run) -> None:
    fail_every_call(run, "EMFILE")


@row("a failing call: EROFS", databases=BOTH, needs=[STRACE], exhaustive=True)
def test_a_read_only_disk_in_any_call_is_answered_and_the_request_can_be_repeated(
    run: Run,
) -> None:
    fail_every_call(run, "EROFS")


def fail_every_call(run: Run, error: str) -> None:
    """Let each call of each operation fail once, one at a time."""
    calls, status = FAULTS[error]
    environment = run.fresh_environment()
    with Operations(run.directory / "instance", environment, warm_up(run)) as operations:
        known = {**OPERATIONS, **OFFSET_OPERATIONS}
        names = list(known)
        if run.size is Size.REDUCED:
            # A seventh of them, others for each fault and database, so that each has its turn.
            names = names[(3 * list(FAULTS).index(error) + EVERY.index(run.database)) % 7 :: 7]
        for name in names:
            trial = Trial(run, operations, name, known[name])
            points = [(call, k) for call, k in trial.points() if call in calls]
            # At reduced size one call of each operation, from different places. Some operations
            # make no call that can fail so.
            step = max(1, run.amount(reduced=len(points), full=1))
            for call, k in points[(7 * len(name)) % step :: step]:
                trial.fail_at(call, k, error, status)
