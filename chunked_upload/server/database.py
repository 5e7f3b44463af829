"""The stand-alone server's database: its driver, its file, and what is wrong with its URI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask

from chunked_upload.records import database_uri
from chunked_upload.records.durability import newest_sqlite

from .private_files import create_private, make_private

#: What SQLite, and this service, put beside a database.
_BESIDE = ("", "-wal", "-shm", "-journal", "-reserve")


def choose(app: Flask) -> None:
    """Choose psycopg 3 for PostgreSQL, and for SQLite the newest there is and a private file."""
    uri = app.config.setdefault("SQLALCHEMY_DATABASE_URI", "sqlite:///chunked_upload.db")
    scheme, _, rest = str(uri).partition("://")
    if scheme in ("postgres", "postgresql"):
        app.config["SQLALCHEMY_DATABASE_URI"] = f"postgresql+psycopg://{rest}"
    elif scheme == "sqlite":
        app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", _sqlite_options(app))
    keep_private(app)


def _sqlite_options(app: Flask) -> dict[str, Any]:
    driver = newest_sqlite()
    options: dict[str, Any] = {"module": driver} if driver else {}
    if sqlite_file(app) is not None:
        # What another connection writes, a connection reads again. So the one that was used last
        # comes first, and not each in turn.
        options["pool_use_lifo"] = True
    return options


def keep_private(app: Flask) -> None:
    """Make an SQLite file its owner's alone: a new one anywhere, an existing one in our folder."""
    file = sqlite_file(app)
    if file is None:
        return
    create_private(file)
    if is_in_instance(app):
        for suffix in _BESIDE:
            make_private(file.with_name(file.name + suffix))


def sqlite_file(app: Flask) -> Path | None:
    """Return the SQLite file; None for another database, or one in memory."""
    return database_uri.sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"], Path(app.instance_path))


def is_in_instance(app: Flask) -> bool:
    """Return whether the database is a file in the instance folder."""
    file = sqlite_file(app)
    return file is not None and file.is_relative_to(app.instance_path)


def place(app: Flask) -> str:
    """Return where the database is, without its password."""
    file = sqlite_file(app)
    return str(file or database_uri.without_password(app.config["SQLALCHEMY_DATABASE_URI"]))


def problem(error: Any) -> str:
    """Return what is wrong with a database whose engine cannot be made, and what to do."""
    if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
        return (
            "PostgreSQL needs psycopg, which is not installed:"
            " pip install 'chunked-upload[postgresql]'"
        )
    return f"the database URI cannot be used: {error}"
