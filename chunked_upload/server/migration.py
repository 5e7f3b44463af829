"""Brings the database to this version, once however many processes and hosts start together.

During a rolling restart the database is newer than the versions that still run. They serve on, and
may be started again: a version only adds to the tables, and takes nothing away that the version
before it needs. What is to be removed goes one version later.

Alembic is imported only where there is something to migrate: that takes a fifth of a server's
start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from werkzeug.utils import import_string

from chunked_upload.records.versions import database_versions
from chunked_upload.support.package_data import resource

from . import database
from .private_files import locked

#: How long to wait for another process that migrates the database.
_WAIT_SECONDS = 300.0

_REVISION = re.compile(r'^revision = "(\w+)"\ndown_revision = (?:"(\w+)"|None)$', re.MULTILINE)


def migrate() -> None:
    """Upgrade the database, unless a newer version has.

    Processes of one host take turns by a lock file, those of several hosts by a lock of PostgreSQL
    (``migrations/env.py``).
    """
    with locked(_lock(), seconds=_WAIT_SECONDS):
        found = database_versions(current_app.extensions["sqlalchemy"].engine)
        newer = sorted(found - known_migrations().keys())
        if not newer:
            if found != {newest_migration()}:
                _upgrade()
            return
    click.echo(
        f"The database is at version {', '.join(newer)}, which a newer chunked-upload has made;"
        " this one serves on with it. Upgrade it soon",
        err=True,
    )


def _upgrade() -> None:
    from flask_migrate import upgrade

    upgrade()


def _lock() -> Path:
    """Return the lock file: beside an SQLite file that several instance folders may share."""
    file = database.sqlite_file(current_app)
    if file is None or database.is_in_instance(current_app):
        return Path(current_app.instance_path) / "migrate.lock"
    return file.with_name(f"{file.name}-migrate.lock")


@cache
def known_migrations() -> Mapping[str, str | None]:
    """Return this version's migrations, each with the one before it."""
    files = (resource("migrations") / "versions").glob("*.py")
    found = [_REVISION.search(file.read_text(encoding="utf-8")) for file in files]
    return {match[1]: match[2] for match in found if match}


def newest_migration() -> str:
    """Return the migration that this version works with."""
    known = known_migrations()
    (newest,) = known.keys() - known.values()
    return newest


class Migrations:
    """Flask-Migrate's state of an app, made when one of its commands asks for it."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        app.cli.add_command(DatabaseCommands("db", help="Perform database migrations."))

    def __getattr__(self, name: str) -> Any:
        from flask_migrate import Migrate

        # Puts its own object in this one's place.
        Migrate(
            self._app, self._app.extensions["sqlalchemy"], directory=str(resource("migrations"))
        )
        return getattr(self._app.extensions["migrate"], name)


class DatabaseCommands(click.Command):
    """Flask-Migrate's group of commands, imported when one of them is called."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Have the group itself parse the arguments, and be called."""
        group: click.Command = import_string("flask_migrate.cli.db")
        return group.make_context(*args, **extra)
