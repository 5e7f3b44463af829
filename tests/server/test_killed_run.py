"""A test run that is killed leaves no process behind, whichever signal it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.waiting import eventually
from tests.support import browser, guard, postgres

PROJECT = Path(__file__).parents[2]

#: A test with all that a test may start, which is then killed.
SLEEPER = """\
import os, pathlib, time
import pytest

@pytest.mark.parametrize("started", [{fixtures}])
def test_sleeps(request, started):
    for name in started:
        request.getfixturevalue(name)
    pathlib.Path("ready").write_text(os.environ["CHUNKED_TESTS_RUN"])
    time.sleep(300)
"""


def fixtures(*wanted: str) -> list[str]:
    """Return those of the wanted fixtures that this machine can provide."""
    provided = {
        "server": True,
        "postgres_cluster": postgres.find_programs(),
        "browser": browser.installed(),
    }
    return [name for name in wanted if provided[name]]


# Each program takes seconds of processor time to start, and so does each pytest. SIGKILL leaves all
# of them to the guard alone; at the other signals pytest has its chance to end them too.
@pytest.mark.parametrize(
    ("number", "workers", "wanted"),
    [
        (signal.SIGKILL, 1, ["server", "postgres_cluster", "browser"]),
        (signal.SIGTERM, 0, ["server"]),
        (signal.SIGINT, 1, ["postgres_cluster"]),
    ],
)
def test_nothing_is_left(
    tmp_path: Path, number: signal.Signals, workers: int, wanted: list[str]
) -> None:
    started = fixtures(*wanted)
    (tmp_path / "test_sleeper.py").write_text(SLEEPER.format(fixtures=started))
    run = subprocess.Popen(
        [*(sys.executable, "-m", "pytest", "-q", "-n", str(workers), "-p", "tests.conftest"), "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DEBUG_TEMPROOT": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # A shell's background jobs ignore SIGINT, and so would all that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    ready = tmp_path / "ready"
    try:
        eventually(lambda: ready.exists() and bool(ready.read_text()), seconds=120)
        tag = ready.read_text()
        assert len(guard.tagged(tag)) > len(started)
        run.send_signal(number)
        eventually(lambda: not guard.tagged(tag), seconds=120, every=0.25)
    finally:
        run.kill()
        run.wait()
