"""What a database URI says: the SQLite file, and the URI as it may be shown."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


def sqlite_file(uri: str, folder: Path) -> Path | None:
    """Return the SQLite file; None for another database, for one in memory, or for a malformed URI.

    :param folder: where relative paths start.
    """
    try:
        url = make_url(uri)
    except ArgumentError:  # reported when the engine is made
        return None
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in ("", ":memory:") or name.startswith("file:"):
        return None
    return folder / name


def without_password(uri: str) -> str:
    """Return the URI with its password replaced by asterisks."""
    return make_url(uri).render_as_string()
