"""Watches how many connections to the database a process has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

_MARK = "chunked_upload_watched"
_OPEN, _USED = "chunked_upload_open", "chunked_upload_used"


def watch_pool(
    engine: Engine, *, opened: Callable[[int], object], used: Callable[[int], object]
) -> None:
    """Tell each change of the connections of an engine, by 1 or -1; once per engine.

    A connection that was open before counts from its next use.

    :param opened: changes of those that are open.
    :param used: changes of those that a request uses.
    """
    if getattr(engine, _MARK, False):
        return
    setattr(engine, _MARK, True)

    def checkout(_connection: Any, record: Any, _proxy: Any) -> None:
        _mark(record.info, _OPEN, opened)
        _mark(record.info, _USED, used)

    def checkin(_connection: Any, record: Any) -> None:
        _unmark(record.info, _USED, used)

    def close(_connection: Any, record: Any) -> None:
        _unmark(record.info, _OPEN, opened)

    event.listen(engine, "checkout", checkout)
    event.listen(engine, "checkin", checkin)
    event.listen(engine, "close", close)


def _mark(info: dict[str, Any], name: str, change: Callable[[int], object]) -> None:
    if not info.get(name):
        info[name] = True
        change(1)


def _unmark(info: dict[str, Any], name: str, change: Callable[[int], object]) -> None:
    if info.pop(name, False):
        change(-1)
