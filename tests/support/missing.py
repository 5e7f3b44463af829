"""Skip what the machine cannot do, and say what to install.

Under ``CI=true`` every skip is a failure, wherever it comes from (``tests/conftest.py``).
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

#: What a shallow clone lacks, and no program can install.
HISTORY = "the project's history"


def skip_without(what: str, *, install: str) -> NoReturn:
    """Skip the current test for want of ``what``."""
    pytest.skip(f"needs {what}: install {install}")


def fail_if_skipped_in_ci(report: pytest.TestReport) -> None:
    """Make a skipped test a failed one where nothing may be skipped."""
    if os.environ.get("CI") == "true" and report.skipped and not _may_skip(report):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]} (under CI nothing may be skipped)"  # type: ignore[index]


def _may_skip(report: pytest.TestReport) -> bool:
    """Return whether a skip is foreseen.

    By a mark, for want of a program that `.ci/run` cannot build, or of what a clone has not got.
    """
    if hasattr(report, "wasxfail"):
        return True
    reason = str(report.longrepr[2])  # type: ignore[index]
    if reason.startswith(f"Skipped: needs {HISTORY}:"):
        return True
    return "WITHOUT_VERSITYGW" in os.environ and reason.startswith("Skipped: needs versitygw:")
