"""Finds the folders that are shipped with the code: ``static`` and ``migrations``."""

from __future__ import annotations

from pathlib import Path


def resource(name: str) -> Path:
    """Return a folder that is inside the package in a wheel, and beside it in a checkout."""
    package = (
        Path(__file__).resolve().parent.parent
    )  # resolved, since an editable install may be a link
    return package / name if (package / name).is_dir() else package.parent / name
