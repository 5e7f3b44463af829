"""Counts in messages: ``1 upload``, ``1,204 uploads``."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is one."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def were(count: int) -> str:
    """Return the verb after a count."""
    return "was" if count == 1 else "were"
