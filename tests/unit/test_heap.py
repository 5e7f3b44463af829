"""The C library's heap in a server's worker."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys

import pytest

from chunked_upload.heap import keep_buffers

_COUNT_FAULTS = """
import resource, sys
from chunked_upload.heap import keep_buffers

if sys.argv[1] == "kept":
    assert keep_buffers()

def take_in() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        body = [b"x" * 2**20 for _ in range(8)]
        del body
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

take_in()
print(take_in())
"""


def faults(how: str) -> int:
    """Return the page faults of a process that makes and drops 800 MiB of buffers."""
    command = [sys.executable, "-c", _COUNT_FAULTS, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library's heap is another"
)
def test_freed_buffers_are_used_again_without_asking_the_system() -> None:
    pages = 800 * 2**20 // resource.getpagesize()
    assert faults("kept") < pages / 100 < faults("as it comes")


def test_without_mallopt_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_buffers()


_COLLECT = """
import gc, weakref
from chunked_upload.heap import collect_less

class Cycle:
    def __init__(self) -> None:
        self.itself = self

loaded, lost = [Cycle() for _ in range(1000)], weakref.ref(Cycle())
before = len(gc.get_objects())
collect_less()
print(lost() is None, before > 1000 > len(gc.get_objects()))
made = weakref.ref(Cycle())
for _ in range(100_000):
    [Cycle]  # freed at once: no reason to collect
    loaded.append([])
print(made() is None)
"""


def test_a_loaded_program_is_left_out_of_collections_and_cycles_still_end() -> None:
    command = [sys.executable, "-c", _COLLECT]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["True", "True", "True"]
