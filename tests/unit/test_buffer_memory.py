"""Freed buffers stay in a server's worker."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys

import pytest

from chunked_upload.server import buffer_memory
from chunked_upload.server.buffer_memory import keep_buffers

_COUNT_FAULTS = """
import resource, runpy, sys

keep_buffers = runpy.run_path(sys.argv[2])["keep_buffers"]  # without all of the package
if sys.argv[1] == "kept":
    assert keep_buffers()

def take_in() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        body = [b"x" * 2**20 for _ in range(8)]
        del body
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

take_in()
print(take_in())
"""


def faults(how: str) -> int:
    """Return the page faults of a process that makes and drops 80 MiB of buffers."""
    command = [sys.executable, "-c", _COUNT_FAULTS, how, buffer_memory.__file__]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.long
@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library's heap is another"
)
def test_freed_buffers_are_used_again_without_asking_the_system() -> None:
    pages = 80 * 2**20 // resource.getpagesize()
    assert faults("kept") < pages / 100 < faults("returned")


def test_without_mallopt_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_buffers()
