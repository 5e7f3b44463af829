"""Fixtures of the extension's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from tests.support.built import built_package


@pytest.fixture
def uploads(app: Flask) -> ChunkedUpload:
    """The service of the test's ``app``, which keeps it in its extensions as ``tests``."""
    made: ChunkedUpload = app.extensions["tests"]
    return made


@pytest.fixture(scope="session")
def built_static() -> Path:
    """The static folder as the wheel has it; the tests only read it."""
    return built_package() / "static"
