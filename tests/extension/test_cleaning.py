"""The cleaner as an operator runs it: in a loop, beside others, whatever the clock does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance import commands
from chunked_upload.maintenance import expiry as cleaner
from chunked_upload.records.clock import DatabaseClock
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.support.protocol import Protocol, files, records


@pytest.fixture
def expired_app(make_app: Callable[..., Flask]) -> Flask:
    """An app in which an upload expires as soon as its chunk is stored."""
    app = make_app(CHUNKED_UPLOAD_EXPIRATION_DELTA=timedelta(0))
    ChunkedUpload(app)
    create_tables(app)
    Protocol(app.test_client()).chunk(b"half", 0, 8)
    return app


def lose(app: Flask, upload_id: str) -> Path:
    """Make a part without a record, of an hour ago: the database's clock may be a little behind."""
    part = Path(app.instance_path) / "uploads/.incoming" / upload_id[:2] / f"{upload_id}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"lost")
    an_hour_ago = time.time() - 3600
    os.utime(part, (an_hour_ago, an_hour_ago))
    return part


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["chunked-upload", *arguments])
    return result.exit_code, result.output


def test_a_clock_a_day_ahead_ends_no_upload(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol.chunk(b"half", 0, 8)
    run(app, "delete-expired-uploads")
    in_two_days = utcnow() + timedelta(days=2)
    monkeypatch.setattr(DatabaseClock, "now", lambda clock: in_two_days)
    assert run(app, "delete-expired-uploads") == (
        0,
        "0 complete uploads were deleted.\n0 incomplete uploads were deleted.\n",
    )
    assert len(records(app)) == 1


def test_every_goes_on_and_survives_failures(
    expired_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    failures = iter([OSError("disk on fire"), None, None])
    real = cleaner.delete_expired

    def sometimes(*arguments: object, **options: object) -> object:
        failure = next(failures)
        if failure:
            raise failure
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(commands, "delete_expired", sometimes)
    monkeypatch.setattr(time, "sleep", sleep)
    _, output = run(expired_app, "delete-expired-uploads", "--every", "15m")
    assert slept == [900.0, 900.0, 900.0]
    assert "disk on fire" in output
    assert "1 incomplete upload was deleted." in output
    assert files(expired_app) == []


def test_every_wants_a_span_of_time(app: Flask) -> None:
    code, output = run(app, "delete-expired-uploads", "--every", "soon")
    assert code == 2
    assert "expected seconds, or parts as in 1d 12h 30m" in output


def test_orphans_are_shown_first_and_deleted_when_told(app: Flask, protocol: Protocol) -> None:
    protocol.chunk(b"half", 0, 8)
    lost = "ab" * 16
    part = lose(app, lost)

    assert run(app, "delete-orphans") == (0, "0 orphans would be deleted; --delete does it.\n")
    assert run(app, "delete-orphans", "--grace", "0s") == (
        0,
        f"part without a record: {lost}\n1 orphan would be deleted; --delete does it.\n",
    )
    assert part.exists()
    code, output = run(app, "delete-orphans", "--grace", "0s", "--delete")
    assert (code, output.splitlines()[-1]) == (0, "1 orphan was deleted.")
    assert not part.exists()
    assert len(records(app)) == 1


def test_a_sweep_of_nearly_everything_needs_force(app: Flask) -> None:
    for number in range(12):
        lose(app, f"{number:032x}")
    code, output = run(app, "delete-orphans", "--grace", "0s", "--delete")
    assert code == 1
    assert "is this the right database" in output
    assert len(files(app)) == 12
    code, _ = run(app, "delete-orphans", "--grace", "0s", "--delete", "--force")
    assert (code, files(app)) == (0, [])


def test_the_stand_alone_program_cleans_too(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "chunked-upload"
    for command in (["migrate"], ["delete-expired-uploads"], ["delete-orphans"]):
        result = subprocess.run(
            [str(program), *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
    assert "0 orphans would be deleted" in result.stdout
