"""Skip what the machine cannot do, and say what to install; in CI that is a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_without(what: str, *, install: str) -> NoReturn:
    """Skip the current test for want of ``what``."""
    message = f"needs {what}: install {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message} (under CI nothing may be skipped)")
    pytest.skip(message)
