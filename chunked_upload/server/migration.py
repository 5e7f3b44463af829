"""Brings the database to this version, once however many processes and hosts start together.

During a rolling restart the database is newer than the versions that still run. They serve on, and
may be started again: a version only adds to the tables, and takes nothing away that the version
before it needs. What is to be removed goes one version later.
"""

from __future__ import annotations

from pathlib import Path

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade

from . import database
from .private_files import locked

#: How long to wait for another process that migrates the database.
_WAIT_SECONDS = 300.0


def migrate() -> None:
    """Upgrade the database, unless a newer version has.

    Processes of one host take turns by a lock file, those of several hosts by a lock of PostgreSQL
    (``migrations/env.py``).
    """
    with locked(_lock(), seconds=_WAIT_SECONDS):
        newer = _newer_revisions()
        if not newer:
            upgrade()
            return
    click.echo(
        f"The database is at version {', '.join(newer)}, which a newer chunked-upload has made;"
        " this one serves on with it. Upgrade it soon",
        err=True,
    )


def _lock() -> Path:
    """Return the lock file: beside an SQLite file that several instance folders may share."""
    file = database.sqlite_file(current_app)
    if file is None or database.is_in_instance(current_app):
        return Path(current_app.instance_path) / "migrate.lock"
    return file.with_name(f"{file.name}-migrate.lock")


def _newer_revisions() -> list[str]:
    """Return what the database is at, as far as this program has no such migration."""
    extension = current_app.extensions["migrate"]
    scripts = ScriptDirectory.from_config(extension.migrate.get_config())
    known = {script.revision for script in scripts.walk_revisions()}
    with extension.db.engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    return sorted(set(heads) - known)
