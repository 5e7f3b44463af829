"""What the host gives: versions, the instance folder, file systems, limits."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from flask import Flask

from chunked_upload.checksum.md5 import MD5
from chunked_upload.records.durability import WAL_SAFE, sqlite_version
from chunked_upload.support.sizes import readable

from .. import open_files
from ..database import sqlite_file
from .finding import Finding, ok, problem, warning

#: File systems whose locks and syncs cannot be relied on between hosts.
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph")

#: Bytes that the database and the secret key may need.
_LITTLE = 64_000_000


def versions(app: Flask) -> Iterator[Finding]:
    """Look at Python, its packages, and the libraries behind them."""
    names = ("chunked-upload", "Flask", "SQLAlchemy", "gunicorn")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    yield ok("versions", f"Python {platform.python_version()}, {packages}")
    if not MD5.resumable():
        yield warning(
            "checksums",
            "OpenSSL's libcrypto cannot be used, so the MD5 cannot be kept between two requests",
            "Completing an upload reads the whole file again. Install OpenSSL's shared library"
            " (libssl3).",
        )
    if sqlite_file(app) is not None:
        yield _sqlite(app)


def _sqlite(app: Flask) -> Finding:
    with app.app_context():
        found = sqlite_version(app.extensions["sqlalchemy"].engine)
    text = ".".join(map(str, found))
    if found >= WAL_SAFE:
        return ok("SQLite", f"version {text}, with write-ahead logging")
    return warning(
        "SQLite",
        f"version {text} has a bug in write-ahead logging, so the server uses the slower journal",
        "pip install 'chunked-upload[sqlite]' brings a newer one.",
    )


def instance_folder(app: Flask) -> Iterator[Finding]:
    """Look at the folder in which the server keeps what is its own."""
    folder = Path(app.instance_path)
    mode = folder.stat().st_mode & 0o777
    if not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            "instance folder",
            f"{folder} cannot be written by this user ({_user()})",
            f"Run as its owner, or `chown {_user()} {folder}`.",
        )
    elif mode & 0o077:
        yield warning(
            "instance folder",
            f"other users may look into {folder} (mode {mode:o})",
            f"chmod 700 {folder}",
        )
    else:
        yield ok("instance folder", f"{folder} is {_user()}'s alone")
    free = shutil.disk_usage(folder).free
    if free < _LITTLE:
        yield problem(
            "instance folder",
            f"only {readable(free)} are free on its disk",
            "Make room, or the database cannot record anything.",
        )


def file_systems(places: dict[str, Path]) -> Iterator[Finding]:
    """Look at what database and files lie on.

    :param places: by what is there.
    """
    for what, place in places.items():
        kind = file_system(place)
        if kind in _NETWORK:
            yield problem(
                what,
                f"{place} is on a network file system ({kind}), whose locks and syncs do not hold",
                "Use a local disk; several hosts share PostgreSQL and an object store"
                " (docs/scaling.md).",
            )
        elif kind in ("tmpfs", "ramfs"):
            yield warning(
                what,
                f"{place} is in memory ({kind}), so a restart of the host loses it",
                "Use a disk.",
            )


def file_system(place: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the kind of file system that a path is on; empty if that is not known."""
    found, longest = "", -1
    path = os.path.realpath(place)
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        point = point.encode().decode("unicode_escape")  # a space is written \040
        if len(point) > longest and Path(path).is_relative_to(point):
            found, longest = kind, len(point)
    return found


def limits() -> Iterator[Finding]:
    """Look at how many files the server may open."""
    given = os.environ.get("THREADS") or str(open_files.THREADS)
    if not given.isdecimal() or int(given) < 1:
        yield problem("open files", f"THREADS={given!r} is no number", "Set it, as THREADS=1024.")
        return
    threads = int(given)
    wanted = open_files.wanted(threads)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        yield ok("open files", "no limit" if hard < 0 else f"at most {hard:,}")
        return
    yield warning(
        "open files",
        f"a process may open {hard:,} files, and {threads:,} uploads at a time need {wanted:,}",
        f"LimitNOFILE={wanted} in the systemd unit, `ulimit -Hn {wanted}`, or fewer THREADS.",
    )


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
