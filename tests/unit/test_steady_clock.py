"""The cleaner's clock: leaps of the wall clock are not believed, passing time is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chunked_upload.support import steady_clock

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Machine:
    """A machine whose wall clock, uptime and boot the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, note: Path) -> None:
        self.wall, self.uptime, self.boot = START, 1000.0, "first boot"
        self.note = note
        machine = self
        monkeypatch.setattr(steady_clock, "_uptime", lambda: machine.uptime)
        monkeypatch.setattr(steady_clock, "_boot", lambda: machine.boot)

    def pass_time(self, span: timedelta) -> None:
        self.wall += span
        self.uptime += span.total_seconds()

    def now(self) -> datetime:
        return steady_clock.steady_now(self.wall, self.note, settle=DAY)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path / "notes" / "clock")


def test_time_that_passes_is_believed(machine: Machine) -> None:
    assert machine.now() == START
    machine.pass_time(3 * DAY)
    assert machine.now() == START + 3 * DAY


def test_a_leap_ahead_is_not_believed(machine: Machine) -> None:
    machine.now()
    machine.pass_time(timedelta(minutes=1))
    machine.wall += DAY
    assert machine.now() == START + timedelta(minutes=1)
    machine.pass_time(timedelta(minutes=1))
    assert machine.now() == START + timedelta(minutes=2)


def test_a_small_correction_is_believed(machine: Machine) -> None:
    machine.now()
    machine.wall += timedelta(minutes=4)
    assert machine.now() == START + timedelta(minutes=4)


def test_a_leap_back_is_followed(machine: Machine) -> None:
    machine.now()
    machine.wall -= DAY
    assert machine.now() == START - DAY


def test_a_leap_that_was_taken_back_leaves_no_doubt(machine: Machine) -> None:
    machine.now()
    machine.wall += DAY
    machine.now()
    machine.wall -= DAY
    assert machine.now() == START


def test_a_corrected_clock_is_believed_after_a_while(machine: Machine) -> None:
    machine.now()
    machine.wall += DAY
    assert machine.now() == START
    machine.pass_time(DAY + timedelta(minutes=1))
    assert machine.now() == machine.wall


def test_a_new_boot_starts_with_the_wall_clock(machine: Machine) -> None:
    machine.now()
    machine.boot, machine.uptime, machine.wall = "second boot", 5.0, START + 9 * DAY
    assert machine.now() == START + 9 * DAY


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "first boot"}', '{"uptime": "x"}'])
def test_a_broken_note_is_no_note(machine: Machine, text: str) -> None:
    machine.note.parent.mkdir()
    machine.note.write_text(text)
    assert machine.now() == START


def test_a_note_that_cannot_be_written_does_no_harm(machine: Machine, tmp_path: Path) -> None:
    machine.note = tmp_path / "file" / "clock"
    (tmp_path / "file").write_text("in the way")
    assert machine.now() == START


def test_without_uptime_the_wall_clock_is_all_there_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.now()
    monkeypatch.setattr(steady_clock, "_uptime", lambda: None)
    machine.wall += DAY
    assert machine.now() == START + DAY
