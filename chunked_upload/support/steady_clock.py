"""A clock for the cleaner that does not trust sudden jumps.

When the wall clock jumps a day ahead, every upload in progress looks a day old. The cleaner must
not act on that. So each run writes a note to the storage: the wall clock's time, and the machine's
uptime. A later run of the same boot knows how much time has really passed, and uses the earlier of
both times. If the jump was a correction, the clock is trusted again once it has been steady for as
long as uploads live.

The note is per machine, like the uptime. Without a note (first run, new boot, no Linux) only the
wall clock is left.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

#: Corrections smaller than this (NTP, leap seconds) are no jumps.
TOLERANCE = timedelta(minutes=5)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def steady_now(wall: datetime, note: Path, *, settle: timedelta) -> datetime:
    """Return the time, aware and in UTC, no further ahead than time has passed since the last call.

    :param wall: what the clock says that is not to be trusted, aware and in UTC.
    :param note: file with the last reading.
    :param settle: how long a jump is not trusted.
    """
    uptime, boot = _uptime(), _boot()
    if uptime is None or boot is None:
        return wall
    now, doubted_since = _judge(_read(note), wall, uptime, boot, settle)
    reading = {"boot": boot, "uptime": uptime, "time": now.timestamp(), "doubt": doubted_since}
    with suppress(OSError):  # without a note, the next run uses the wall clock
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(reading))
    return now


def _judge(
    last: dict[str, Any], wall: datetime, uptime: float, boot: str, settle: timedelta
) -> tuple[datetime, float | None]:
    """Return the time to use, and the uptime since which the wall clock is not trusted."""
    if last.get("boot") != boot:
        return wall, None
    passed = timedelta(seconds=uptime - float(last["uptime"]))
    expected = datetime.fromtimestamp(float(last["time"]), UTC) + passed
    if wall <= expected + TOLERANCE:
        return wall, None
    since = float(uptime if last.get("doubt") is None else last["doubt"])
    if uptime - since > settle.total_seconds():
        return wall, None
    return expected, since


def _read(note: Path) -> dict[str, Any]:
    try:
        reading = json.loads(note.read_text())
        return {**reading, "uptime": float(reading["uptime"]), "time": float(reading["time"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _uptime() -> float | None:
    """Return seconds since boot, including sleep; this clock cannot be set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None


def _boot() -> str | None:
    with suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return None
