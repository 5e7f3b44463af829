"""Fixtures of the extension's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.built import build_static


@pytest.fixture(scope="session")
def built_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static folder as the wheel has it."""
    return build_static(tmp_path_factory.mktemp("built") / "static")
