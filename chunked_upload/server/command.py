"""The ``chunked-upload`` program: serve, and the commands of the stand-alone server's app."""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import time
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from chunked_upload.errors import ConfigurationError
from chunked_upload.maintenance.commands import command_group
from chunked_upload.openapi.command import openapi

from . import database, logs, open_files
from .app import create_app
from .doctor.command import doctor
from .doctor.finding import Verdict
from .doctor.service import secret_key
from .migration import DatabaseCommands, migrate
from .shared_counts import forget_counts

#: How long running uploads may continue after a stop was asked for; later they are cut off, and
#: resume from their last chunk.
_GRACE_SECONDS = 30

#: How long a port may still be taken at the start.
_PORT_SECONDS = 3.0


@click.group()
@click.version_option(package_name="chunked-upload")
@click.pass_context
def cli(context: click.Context) -> None:
    """Resumable chunked uploads: a server, and the care for what it stores."""
    context.obj = ScriptInfo(create_app=create_app, load_dotenv_defaults=False)


for command in command_group().commands.values():
    cli.add_command(command)
cli.add_command(DatabaseCommands("db", help="Perform database migrations."))
cli.add_command(doctor)
cli.add_command(openapi)


@cli.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option(
    "--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(1, 65535)
)
@click.option(
    "--workers",
    envvar="WORKERS",
    default=lambda: min(os.cpu_count() or 1, 4),
    type=click.IntRange(1),
    help="Worker processes.  [default: one per core, at most 4]",
)
@click.option(
    "--threads",
    envvar="THREADS",
    default=open_files.THREADS,
    show_default=True,
    type=click.IntRange(1),
    help="Uploads that a worker receives at a time.",
)
@click.option(
    "--grace",
    envvar="GRACE",
    default=_GRACE_SECONDS,
    show_default=True,
    type=click.IntRange(1),
    help="Seconds that running requests get to finish when the server is stopped.",
)
@click.pass_obj
def serve(info: ScriptInfo, host: str, port: int, workers: int, threads: int, grace: int) -> None:
    """Migrate the database and serve.

    Every CHUNKED_UPLOAD_* setting is read from the environment.
    """
    app = info.load_app()
    from .gunicorn.service import Service  # it checks gunicorn first

    address = _usable_address(host, port)
    with app.app_context():
        _prepare()
    open_files.allow(open_files.wanted(threads))
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Serving on http://{shown}:{port}, {_places(app)}")
    sys.stdout.flush()
    if (found := secret_key(app)).verdict is Verdict.WARNING:
        click.echo(f"Warning: {found.part}: {found.said}. {found.advice}", err=True)
    # In no context of the app: the workers would inherit it.
    Service(
        app,
        bind=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
        workers=workers,
        threads=threads,
        graceful_timeout=grace,
    ).run()


def _prepare() -> None:
    """Make the current app ready to be served by processes that are forked from this one."""
    migrate()
    _check_storage()
    forget_counts(current_app)
    logs.set_up(current_app.extensions["chunked_upload"]["chunked_upload"].settings.log_format)
    for engine in current_app.extensions["sqlalchemy"].engines.values():
        engine.dispose()  # or the workers would inherit its connections


def _places(app: Flask) -> str:
    """Return where the data is."""
    storage = app.extensions["chunked_upload"]["chunked_upload"].engine.storage
    files = getattr(storage, "root", storage.identity)
    if Path(str(files)).is_relative_to(app.instance_path) and database.is_in_instance(app):
        return f"data in {app.instance_path}"
    return f"files in {files}, database {database.place(app)}"


def _usable_address(host: str, port: int) -> str:
    """Return the IP address to listen on.

    Tried out first, to say in one line what is wrong.

    :raises click.ClickException: when the name is unknown or the port cannot be had.
    """
    deadline = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return str(address[0])
        except OSError as error:
            # The workers of a killed server take a moment to notice.
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                reason = error.strerror or error
                raise click.ClickException(f"cannot listen on {host}:{port}: {reason}") from error
        time.sleep(0.1)


def _check_storage() -> None:
    """Refuse to start where no upload could be stored or completed; say what to do.

    A full disk is no reason: files on it can be downloaded and deleted.
    """
    try:
        for upload_set in current_app.extensions["chunked_upload"].values():
            upload_set.engine.check_storage()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            click.echo(f"Storage: {error.strerror}", err=True)
            return
        problem = f"the storage cannot be used: {error.strerror}"
        if error.filename is not None:
            problem += f": {error.filename}; the server's user must be able to write there"
        raise click.ClickException(problem) from error


@cli.command("migrate", short_help="Bring the database to the current version.")
@with_appcontext
def migrate_command() -> None:
    """Bring the database to the current version, and nothing else."""
    migrate()


def main() -> None:
    """Run the program; what cannot work ends it with one line instead of a traceback."""
    gc.freeze()  # what was imported stays: looking for garbage in it takes as long as making an app
    sys.path.append(os.getcwd())  # for CHUNKED_UPLOAD_CONFIG and other dotted names
    try:
        cli()
    except (ConfigurationError, OSError) as error:
        sys.exit(f"chunked-upload: {error}")
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        sys.exit(f"chunked-upload: the database cannot be used: {said[0]}")
