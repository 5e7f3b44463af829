"""Where files cannot be stored or completed, the server says so before gigabytes have arrived."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.client import call
from tests.support.missing import skip_without
from tests.support.server import Server

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A directory on another file system than the tests' files."""
    for parent in ("/dev/shm", "/var/tmp", "/tmp"):
        if os.access(parent, os.W_OK) and os.stat(parent).st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=parent) as directory:
                yield Path(directory)
            return
    skip_without("two file systems", install="a tmpfs at /dev/shm")


def test_completed_files_on_another_file_system(
    server: Server, outcome: Run, elsewhere: Path
) -> None:
    completed = server.root / "chunked_uploads"
    server.root.mkdir(exist_ok=True)
    completed.symlink_to(elsewhere)
    answer = call(server, "GET", "/healthz")
    assert (answer.status, answer.json["database"]) == (503, "ok")
    assert "are not on one file system" in answer.json["storage"]

    ended = outcome("serve", CHUNKED_UPLOAD_ROOT=str(server.root))
    assert ended.returncode == 1
    assert f"mount the file system at {server.root} instead" in ended.stderr

    completed.unlink()
    assert call(server, "GET", "/healthz").status == 200
    assert list(elsewhere.iterdir()) == []


def test_a_root_that_cannot_be_written_to(outcome: Run) -> None:
    ended = outcome("serve", CHUNKED_UPLOAD_ROOT="/proc/uploads")
    assert ended.returncode == 1
    assert "the storage cannot be used" in ended.stderr
    assert "/proc/uploads; the server's user must be able to write there" in ended.stderr
    assert "Traceback" not in ended.stderr
