"""Orphans: only what is ours, old and without its other half goes; never in bulk by mistake."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance.orphans import (
    Orphans,
    SuspiciousSweep,
    find_orphans,
    remove_orphans,
)
from chunked_upload.records.model import Status
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.support.protocol import Protocol, files, records

HOUR = timedelta(hours=1)


def look(app: Flask, grace: timedelta = HOUR, ahead: timedelta = timedelta(0)) -> Orphans:
    """Return what a look finds, as if ``ahead`` had passed."""
    upload_sets = list(app.extensions["chunked_upload"].values())
    with app.app_context():
        [found] = find_orphans(upload_sets, grace=grace, now=utcnow() + ahead)
    return found


def remove(app: Flask, found: Orphans, **options: Any) -> int:
    with app.app_context():
        return remove_orphans(found, **options)


def put_part(app: Flask, upload_id: str, suffix: str = ".part") -> Path:
    path = Path(app.instance_path) / "uploads" / ".incoming" / upload_id[:2] / (upload_id + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"lost")
    return path


def test_a_part_without_record_is_taken_after_the_grace_time(app: Flask) -> None:
    part = put_part(app, "ab" * 16)
    side = put_part(app, "ab" * 16, ".turn")
    assert look(app).parts == []

    found = look(app, ahead=2 * HOUR)
    assert found.parts == ["ab" * 16]
    assert part.exists()  # looking removes nothing

    assert remove(app, found) == 1
    assert not part.exists()
    assert not side.exists()


def test_uploads_with_their_parts_are_left_alone(app: Flask, protocol: Protocol) -> None:
    protocol.chunk(b"half", 0, 8)
    protocol.completed(b"whole")
    kept = files(app)
    found = look(app, ahead=timedelta(days=400))
    assert found.parts == []
    assert found.records == []
    assert remove(app, found) == 0
    assert files(app) == kept
    assert len(records(app)) == 2


def test_a_record_without_its_part_is_taken_after_the_grace_time(
    app: Flask, protocol: Protocol
) -> None:
    protocol.chunk(b"half", 0, 8)
    upload_id = records(app)[0].upload_id
    for path in (Path(app.instance_path) / "uploads" / ".incoming").rglob(upload_id + "*"):
        path.unlink()
    assert look(app).records == []

    found = look(app, ahead=2 * HOUR)
    assert [record.upload_id for _, record in found.records] == [upload_id]
    assert remove(app, found) == 1
    assert records(app) == []


def test_an_upload_without_bytes_needs_no_part(app: Flask) -> None:
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    with app.app_context():
        upload_set.engine.create(
            upload_set.model(upload_set=upload_set.name, filename="new", length=5)
        )
    assert look(app, ahead=2 * HOUR).records == []


def test_foreign_files_are_never_taken(app: Flask) -> None:
    root = Path(app.instance_path) / "uploads"
    foreign = [
        root / "notes.txt",
        root / ".incoming" / "ab" / "README",
        root / ".incoming" / "ab" / ("AB" * 16 + ".part"),
        root / ".incoming" / "ab" / ("ab" * 16 + ".part.bak"),
        root / ".incoming" / "other" / ("ab" * 16 + ".part"),
        root / "chunked_uploads" / ("ab" * 16 + ".part"),
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    directory = root / ".incoming" / "ab" / ("cd" * 16 + ".part")
    directory.mkdir()
    link = root / ".incoming" / "ab" / ("ef" * 16 + ".part")
    os.symlink(foreign[0], link)

    found = look(app, ahead=timedelta(days=400))
    assert found.parts == []
    assert remove(app, found) == 0
    assert all(path.exists() for path in [*foreign, directory, link])


def test_a_sweep_that_would_take_most_is_refused(app: Flask, protocol: Protocol) -> None:
    for number in range(12):
        put_part(app, f"{number:032x}")
    found = look(app, ahead=2 * HOUR)
    assert len(found.parts) == 12
    with pytest.raises(SuspiciousSweep, match="12 of 12 look orphaned"):
        remove(app, found)
    assert len(files(app)) == 12

    assert remove(app, found, force=True) == 12
    assert files(app) == []


def test_another_mounts_parts_in_the_same_storage_are_no_orphans(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="second", url_prefix="/second")
    create_tables(app)
    Protocol(app.test_client()).chunk(b"half", 0, 8)
    Protocol(app.test_client(), "/second").chunk(b"half", 0, 8)
    assert look(app, ahead=2 * HOUR).parts == []


def test_a_part_of_a_complete_upload_is_taken_and_its_file_stays(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    upload_id = protocol.completed(b"whole")
    put_part(app, upload_id)
    found = look(app, ahead=2 * HOUR)
    assert found.parts == [upload_id]
    assert remove(app, found) == 1
    assert look(app, ahead=2 * HOUR).parts_seen == 0
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert whole.data == b"whole"


def test_a_removal_cut_short_is_no_orphan(app: Flask, protocol: Protocol) -> None:
    protocol.chunk(b"half", 0, 8)
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    [record] = records(app)
    with app.app_context():
        upload_set.engine.records.swap(record, {"status": int(Status.DELETING)})
    found = look(app, ahead=2 * HOUR)
    assert found.parts == []
    assert found.records == []


def test_an_upload_that_is_completed_after_the_look_stays(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    protocol.chunk(b"whole", 0, 5)
    upload_id = records(app)[0].upload_id
    part = next((Path(app.instance_path) / "uploads" / ".incoming").rglob("*.part"))
    hidden = part.rename(part.with_suffix(".hidden"))  # as it is between completion and look
    found = look(app, ahead=2 * HOUR)
    assert [record.upload_id for _, record in found.records] == [upload_id]
    hidden.rename(part)
    assert protocol.complete(upload_id, b"whole").status_code == 200

    assert remove(app, found) == 0
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert whole.data == b"whole"
