"""Where the folders lie that are shipped beside the code: ``static`` and ``migrations``."""

from __future__ import annotations

from pathlib import Path


def resource(name: str) -> Path:
    """Return a folder that the wheel carries inside the package and a checkout beside it."""
    package = Path(__file__).resolve().parent.parent  # an editable install is a link to it
    return package / name if (package / name).is_dir() else package.parent / name
