"""What the service itself needs: database, migrations, storage, clock, keys, and regular care."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flask import Flask

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.records.versions import database_versions
from chunked_upload.storage.powers import LocalPaths, TellsRoom
from chunked_upload.support.clock import utcnow
from chunked_upload.support.sizes import readable

from .. import database as own_database
from ..migration import known_migrations, newest_migration
from .finding import Finding, ok, problem, warning

#: Seconds by which this host's clock may differ from the database's.
_SKEW = 5

#: How long expired uploads and failed hooks may wait for the commands that care for them.
_CARE, _HOOKS = timedelta(days=1), timedelta(minutes=10)

#: Free bytes below which a storage is nearly full.
_LITTLE = 5_000_000_000


def upload_sets(app: Flask) -> list[BoundUploadSet]:
    """Return the app's upload sets, the first one first."""
    return list(app.extensions["chunked_upload"].values())


def database(app: Flask) -> Iterator[Finding]:
    """Look at the database: whether it answers, its tables, its clock."""
    place = own_database.place(app)
    engine = app.extensions["sqlalchemy"].engine
    try:
        found = max(database_versions(engine), default=None)
    except DatabaseProblem as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield problem(
            "database",
            f"{place} cannot be used: {said}",
            "Check that it runs, and host, port, name, user and password in"
            " CHUNKED_UPLOAD_DATABASE_URI.",
        )
        return
    yield ok("database", f"{place} answers")
    yield _migrations(found)
    if engine.dialect.name != "sqlite":
        yield _clock(app)


def _migrations(found: str | None) -> Finding:
    if found == newest_migration():
        return ok("tables", f"as of migration {found}")
    if found is not None and found not in known_migrations():
        return warning(
            "tables",
            f"a newer version of this program has migrated them (migration {found})",
            "This version serves on with them, as during a rolling restart. Upgrade it soon.",
        )
    return problem(
        "tables",
        f"they are of an older version (migration {found})" if found else "there are none yet",
        "`chunked-upload migrate`; `chunked-upload serve` does so too, when it starts.",
    )


def _clock(app: Flask) -> Finding:
    records = upload_sets(app)[0].engine.records
    skew = round(utcnow().timestamp() - records.leases.now())
    if abs(skew) <= _SKEW:
        return ok("clock", "this host and the database agree")
    ahead = "ahead of" if skew > 0 else "behind"
    return warning(
        "clock",
        f"this host is {abs(skew)} seconds {ahead} the database",
        "Uploads expire by the database's clock, but an object store refuses requests of a host"
        " whose clock is 15 minutes off. Run an NTP client on both.",
    )


def storages(app: Flask) -> Iterator[Finding]:
    """Look at each upload set's storage: whether it takes bytes, and how much room it has."""
    for upload_set in upload_sets(app):
        storage = upload_set.engine.storage
        name = f"storage of {upload_set.name}"
        try:
            upload_set.engine.check_storage()
        except OSError as error:
            place = f": {error.filename}" if error.filename else ""
            yield problem(
                name,
                f"it cannot be used: {error.strerror or error}{place}",
                "The server's user must be able to write there, and there must be room. For an"
                " object store, check its address, the bucket and the credentials.",
            )
            continue
        room = storage.free_bytes() if isinstance(storage, TellsRoom) else None
        if room is not None and room < max(_LITTLE, _largest(upload_set)):
            yield warning(
                name,
                f"{readable(room)} are free",
                "Make room, or `chunked-upload delete-expired-uploads`. A file that does not fit is"
                " refused with 507.",
            )
        else:
            free = "" if room is None else f", {readable(room)} are free"
            yield ok(name, f"it takes bytes{free}")


def _largest(upload_set: BoundUploadSet) -> int:
    limit = upload_set.settings.max_bytes
    return limit if isinstance(limit, int) else 0


def places(app: Flask) -> dict[str, Path]:
    """Return where database and files lie on this host, as far as they do."""
    file = own_database.sqlite_file(app)
    found = {} if file is None else {"database": file}
    for upload_set in upload_sets(app):
        storage = upload_set.engine.storage
        if isinstance(storage, LocalPaths):
            found[f"storage of {upload_set.name}"] = Path(storage.path(""))
    return found


def secret_key(app: Flask) -> Finding:
    """Look whether this host has made a secret key that other nodes do not know."""
    several = own_database.sqlite_file(app) is None
    if several and not os.environ.get("SECRET_KEY") and app.config.get("MAKE_SECRET_KEY"):
        return warning(
            "secret key",
            "this host has made one of its own, which other nodes do not know",
            "Set SECRET_KEY to the same long random text on every node. Otherwise cookies, forms"
            " and shared links of one node are refused by the others.",
        )
    return ok("secret key", "set")


def keys(app: Flask) -> Iterator[Finding]:
    """Look at who may do what: secret key, callers, HTTPS."""
    yield secret_key(app)
    settings = upload_sets(app)[0].settings
    reachable = os.environ.get("HOST", "127.0.0.1") not in ("127.0.0.1", "::1", "localhost")
    if not upload_sets(app)[0].takes_tokens and (reachable or settings.proxy_hops):
        yield warning(
            "callers",
            "anyone who reaches the server may upload, without a limit for each caller"
            if settings.max_open_uploads is None
            else "anyone who reaches the server may upload",
            "With CHUNKED_UPLOAD_REQUIRE_TOKENS=1 (`chunked-upload create-token NAME`) only callers"
            " with a token may; CHUNKED_UPLOAD_MAX_OPEN_UPLOADS and _MAX_OPEN_BYTES limit each"
            " caller.",
        )
    if settings.proxy_hops and not app.config["SESSION_COOKIE_SECURE"]:
        yield warning(
            "cookies",
            "browsers also send them without HTTPS",
            "CHUNKED_UPLOAD_CONFIG=production, if the proxy speaks HTTPS.",
        )


def care(app: Flask) -> Iterator[Finding]:
    """Look at whether the commands run that should run regularly."""
    for upload_set in upload_sets(app):
        records = upload_set.engine.records
        now = upload_set.engine.now()
        expired = records.count(records.queries.expired(upload_set.name, now=now - _CARE))
        if expired:
            yield warning(
                "care",
                f"{expired} uploads of {upload_set.name} expired more than a day ago, and their"
                " bytes are still there",
                "Have cron or systemd run `chunked-upload delete-expired-uploads`"
                " (deploy/chunked-upload-task@.timer).",
            )
        waiting = records.count(
            records.queries.pending_completions(upload_set.name, completed_before=now - _HOOKS)
        )
        if waiting:
            yield warning(
                "care",
                f"on_completion has not returned for {waiting} uploads of {upload_set.name}, ten"
                " minutes and more after they were completed",
                "`chunked-upload retry-completions` runs it again; the log says why it failed.",
            )
