"""What is noted in memory, and counted a moment later."""

from __future__ import annotations

import subprocess
import sys

_FORKS = """\
import os, time
from chunked_upload.metrics import batch, counts
from chunked_upload.records.pool import Pools
from chunked_upload.support.measuring import Figure

def counted():
    return counts.REGISTRY.get_sample_value("chunked_upload_takeovers_total")

def one_more(before):
    batch.note_figure((Figure.TAKEOVERS, 1))
    while counted() == before:  # by the thread
        time.sleep(0.01)
    return counted()

batch._SECONDS = 0.01
pools = Pools([])
batch.begin(pools)
assert one_more(0) == 1
with batch._counting:  # the thread counts nothing now
    batch.note_figure((Figure.TAKEOVERS, 10))
    child = os.fork()
    if not child:
        status = 1
        try:
            batch.count()
            status = 0 if one_more(1) == 2 else 2
        finally:
            os._exit(status)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
batch.count()
assert counted() == 11
"""


def test_a_child_leaves_to_its_parent_what_that_has_noted() -> None:
    """And it counts on, though it has none of the parent's threads."""
    command = [sys.executable, "-W", "ignore", "-c", _FORKS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
