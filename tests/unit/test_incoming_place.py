"""Unfinished bytes outside of the root, which a front server may offer to everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload, ConfigurationError, LocalStorage
from chunked_upload.storage.base import PartMissing
from chunked_upload.testing import StorageConformance, upload_file
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database


class TestOutsideOfTheRoot(StorageConformance):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> LocalStorage:
        return LocalStorage(tmp_path / "root", incoming=tmp_path / "incoming", durable=True)

    test_files_are_listed = None  # type: ignore[assignment] # files on a disk have any names


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.*"))


def test_nothing_unfinished_lies_below_the_root(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(
        CHUNKED_UPLOAD_ROOT=str(tmp_path / "root"),
        CHUNKED_UPLOAD_INCOMING=str(tmp_path / "unfinished"),
        CHUNKED_UPLOAD_PATH="",
    )
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    half = upload_file(client, "/uploads/", b"hello", filename="a.txt", complete=False)
    assert files(tmp_path / "root") == []
    answer(Protocol(client).complete(half["upload_id"], b"hello"))
    assert files(tmp_path / "root") == ["a.txt"]
    assert files(tmp_path / "unfinished") == []


def test_uploads_in_progress_are_found_after_the_setting_is_made(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    root, outside = tmp_path / "root", tmp_path / "unfinished"
    before = make_app(CHUNKED_UPLOAD_ROOT=str(root))
    ChunkedUpload(before)
    create_tables(before)
    upload_id = answer(Protocol(before.test_client()).chunk(b"hello ", 0, 11))["upload_id"]
    (root / ".incoming" / upload_id[:2] / "README").write_text("somebody else's")

    after = make_app(CHUNKED_UPLOAD_ROOT=str(root), CHUNKED_UPLOAD_INCOMING=str(outside))
    ChunkedUpload(after)
    assert files(outside) == [
        f"{upload_id[:2]}/{upload_id}.part",
        f"{upload_id[:2]}/{upload_id}.turn",
    ]
    protocol = Protocol(after.test_client())
    assert answer(protocol.chunk(b"world", 6, 11, upload_id=upload_id))["offset"] == 11
    assert answer(protocol.complete(upload_id, b"hello world"))["status"] == 2
    assert (root / ".incoming" / upload_id[:2] / "README").exists()


def test_without_the_setting_nothing_moves(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(CHUNKED_UPLOAD_ROOT=str(tmp_path / "root"))
    ChunkedUpload(app)
    create_tables(app)
    upload_id = answer(Protocol(app.test_client()).chunk(b"hello ", 0, 11))["upload_id"]
    assert (tmp_path / "root/.incoming" / upload_id[:2] / f"{upload_id}.part").exists()


@pytest.mark.parametrize("where", [".", "unfinished", ".incoming/x"])
def test_a_place_below_the_root_is_refused(
    make_app: Callable[..., Flask], tmp_path: Path, where: str
) -> None:
    root = tmp_path / "root"
    app = make_app(CHUNKED_UPLOAD_ROOT=str(root), CHUNKED_UPLOAD_INCOMING=str(root / where))
    with pytest.raises(ConfigurationError, match="must be outside of the root"):
        ChunkedUpload(app)


def test_a_place_on_another_file_system_is_refused(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if memory.stat().st_dev == tmp_path.stat().st_dev:
        memory = Path("/tmp")
    if memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs two file systems: mount one at /dev/shm")
    outside = memory / f"chunked-upload-{tmp_path.name}-{id(tmp_path)}"
    storage = LocalStorage(tmp_path / "root", incoming=outside)
    try:
        with pytest.raises(OSError, match=r"not on one file system.*CHUNKED_UPLOAD_INCOMING"):
            storage.check_promotion("done")
    finally:
        outside.rmdir()


def test_sets_that_share_a_place_have_orphans_of_their_own_only(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Each looks at all that lies there, and the other's uploads are no orphans."""
    app = make_app(CHUNKED_UPLOAD_INCOMING=str(tmp_path / "shared"))
    for name in ("photos", "videos"):
        ChunkedUpload(app, name=name, url_prefix=f"/{name}", root=str(tmp_path / name))
    create_tables(app)
    client = app.test_client()
    begun = [
        upload_file(client, f"/{name}/", b"x", complete=False) for name in ("photos", "videos")
    ]
    runner = app.test_cli_runner()
    result = runner.invoke(args=["chunked-upload", "delete-orphans", "--grace", "0s", "--delete"])
    assert result.exit_code == 0, result.output
    for name, upload in zip(("photos", "videos"), begun, strict=True):
        assert answer(client.get(f"/{name}/{upload['upload_id']}"))["offset"] == 1


def test_a_part_that_is_in_neither_place_is_missing(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "root", incoming=tmp_path / "unfinished")
    with pytest.raises(PartMissing):
        storage.open_part("ab" * 16, create=False)
