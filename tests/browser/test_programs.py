"""Program × size × fault: tus-js-client in Node and tuspy, against a real server.

``make test`` runs a share, ``make clients`` all of it, into docs/clients.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.client import CHUNK, SIZES, Client, Fault
from tests.browser.program import FAULTS, PROGRAMS, Program, ProgramTrial
from tests.browser.site import Sites
from tests.browser.trial import make_file

#: The sizes at which a program is tried in each run, and the one at which each fault is.
_EMPTY, _USUAL = "0", "2·chunk+1"

#: Nothing of its server is configured.
_DEFAULT = Client(name="programs", page="/")


def cells() -> Iterator[object]:
    """Yield the whole matrix; what only ``make clients`` runs is marked."""
    for program in PROGRAMS:
        for size in program.sizes:
            for fault in FAULTS:
                usual = size == _USUAL and fault in (Fault.NONE, *program.share)
                usual = usual or (size == _EMPTY and fault is Fault.NONE)
                marks = [] if usual else [pytest.mark.full]
                yield pytest.param(
                    program, size, fault, id=f"{program}-{size}-{fault.value}", marks=marks
                )


@pytest.mark.parametrize(("program", "size", "fault"), list(cells()))
def test_every_byte_arrives(
    program: Program,
    size: str,
    fault: Fault,
    sites: Sites,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    trial = ProgramTrial(program, sites.of(_DEFAULT), tmp_path, SIZES[size])
    for name, value in {"client": program.name, "size": size, "fault": fault.name}.items():
        record_property(name, value)
    outcome = trial.run(fault)
    record_property("outcome", outcome.name)
    assert outcome == program.expected(fault)


def test_a_stream_that_the_library_does_not_finish_is_a_failure(
    sites: Sites, tmp_path: Path
) -> None:
    [program] = [program for program in PROGRAMS if program.stream]
    trial = ProgramTrial(program, sites.of(_DEFAULT), tmp_path, CHUNK)
    running = trial.start(make_file(tmp_path / "file.bin", CHUNK))
    assert running.communicate(timeout=60)[0] == ""
    assert running.returncode == 1
