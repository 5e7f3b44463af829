"""Reports of tests, as the processes of pytest-xdist can send them to each other."""

from __future__ import annotations

from typing import Any


def sendable(value: Any) -> Any:
    """Return a report with its texts in UTF-8; what has no UTF-8 is escaped.

    Tests of bad input have lone surrogates in what they log, and in the messages of their failures.
    """
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {sendable(key): sendable(one) for key, one in value.items()}
        case list() | tuple():
            return type(value)(map(sendable, value))
        case _:
            return value
