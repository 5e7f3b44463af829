"""The option of a command that takes a span of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from chunked_upload.settings.text import parse_duration


def duration(_context: Any, _parameter: Any, value: str | None) -> timedelta | None:
    """Read a duration such as ``90``, ``15m`` or ``1d 12h``."""
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
