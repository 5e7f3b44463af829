"""SIGKILL at every system call of each operation.

strace kills a process at the k-th call of each kind, for every k there is; then a new process
repeats the client's last request, and so on (support_trial.py).

Only calls that leave a trace outside the process are enumerated (``CHANGING``); being killed at any
other one is the same as being killed at the next of these.
"""

from __future__ import annotations

from tests.faults.support_offset_operations import OFFSET_OPERATIONS
from tests.faults.support_operations import Operations
from tests.faults.support_trial import OPERATIONS, Trial, warm_up
from tests.support.scorecard import EVERY, STRACE, Run, Size, row

#: What each dialect does.
EVERYTHING = {**OPERATIONS, **OFFSET_OPERATIONS}


def chosen(run: Run) -> list[str]:
    """Return the operations: at reduced size a third on each database."""
    if run.size is Size.FULL:
        return list(EVERYTHING)
    return list(EVERYTHING)[EVERY.index(run.database) :: 3]


@row("SIGKILL at every system call", databases=EVERY, needs=[STRACE], exhaustive=True)
def test_killed_at_any_system_call_the_same_request_moves_on(run: Run) -> None:
    environment = run.fresh_environment()
    with Operations(run.directory / "instance", environment, warm_up(run)) as operations:
        for name in chosen(run):
            trial = Trial(run, operations, name, EVERYTHING[name])
            points = trial.points()
            # At reduced size one of them for each operation, from different places.
            step = run.amount(reduced=len(points), full=1)
            for call, k in points[(7 * len(name)) % step :: step]:
                trial.kill_at(call, k)
            run.count(f"calls of {name}", len(points))
