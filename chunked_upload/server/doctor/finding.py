"""What the doctor finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    #: It works, but will not in some situation.
    WARNING = "warning"
    #: It does not work.
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param part: what was looked at, in a word or two.
    :param said: what was found.
    :param advice: what to do about it; empty if nothing.
    """

    part: str
    verdict: Verdict
    said: str
    advice: str = ""


def ok(part: str, said: str) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding(part, Verdict.OK, said)


def warning(part: str, said: str, advice: str) -> Finding:
    """Return the finding that something will not work in some situation."""
    return Finding(part, Verdict.WARNING, said, advice)


def problem(part: str, said: str, advice: str) -> Finding:
    """Return the finding that something does not work."""
    return Finding(part, Verdict.PROBLEM, said, advice)
