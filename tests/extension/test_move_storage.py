"""``flask chunked-upload move-storage``: from a disk to a real S3 store, and back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import Result
from flask import Flask

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.engine import moving as engine_moving
from chunked_upload.engine.moving import Moving, NotToBeMoved
from chunked_upload.storage.base import StorageBusy
from chunked_upload.storage.s3.bucket import Bucket
from chunked_upload.storage.s3.storage import S3Storage
from chunked_upload.upload_sets import UploadSet
from tests.conftest import create_tables
from tests.support.protocol import Protocol, records
from tests.support.s3 import MIB, PART, ClientStorage, Store

#: Two parts and a bit.
LARGE = hashlib.shake_256(b"move").digest(2 * PART + 7)

pytestmark = pytest.mark.one_database


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "disk"


@pytest.fixture
def bucket(versitygw: Store) -> ClientStorage:
    return versitygw.storage(path="")


Move = Callable[..., Flask]


@pytest.fixture
def on_disk(make_app: Callable[..., Flask], root: Path) -> Flask:
    """The installation before the move."""
    app = make_app(CHUNKED_UPLOAD_ROOT=str(root))
    ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def moving(
    make_app: Callable[..., Flask], root: Path, versitygw: Store, bucket: ClientStorage
) -> Callable[..., Flask]:
    """Restart the installation with a bucket as its storage, and the disk as the old one."""

    def restart(**config: Any) -> Flask:
        settings = versitygw.settings(bucket.bucket, "new") | {
            "CHUNKED_UPLOAD_OLD_STORAGE": "file:",
            "CHUNKED_UPLOAD_ROOT": str(root),
        }
        app = make_app(**settings | config)
        ChunkedUpload(app)
        return app

    return restart


def move(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["chunked-upload", "move-storage", *options])


def moved(app: Flask, *options: str, code: int = 0) -> dict[str, Any]:
    """Move at once, and return what the command says of the first upload set."""
    result = move(app, "--delete-after", "0", "--json", *options)
    assert result.exit_code == code, result.output
    said: dict[str, Any] = json.loads(result.stdout)["chunked_upload"]
    return said


def uploaded(app: Flask, data: bytes, name: str = "file.bin") -> str:
    """Upload a file that is too large for a form of Flask's test client; return its id."""
    sent = app.test_client().put(f"/uploads/{name}", data=data)
    assert sent.status_code == 200, sent.text
    upload_id = str((sent.json or {})["upload_id"])
    assert Protocol(app.test_client()).complete(upload_id, data).status_code == 200
    return upload_id


def content(app: Flask, upload_id: str) -> bytes:
    with app.test_client().get(f"/uploads/{upload_id}/file") as download:
        assert download.status_code == 200, download.data
        data: bytes = download.data
        return data


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def path_of(app: Flask, upload_id: str) -> str:
    [record] = [each for each in records(app) if each.upload_id == upload_id]
    return str(record.path)


def test_files_move_with_their_names_and_nothing_stays_behind(
    on_disk: Flask, moving: Move, root: Path, bucket: ClientStorage
) -> None:
    files = {"a b.txt": b"small", "ü.bin": LARGE[: PART + 7], "empty": b""}
    uploads = {uploaded(on_disk, data, name): data for name, data in files.items()}
    paths = {upload_id: path_of(on_disk, upload_id) for upload_id in uploads}
    app = moving()
    assert moved(app)["moved"] == {
        "uploads": 3,
        "bytes": sum(map(len, uploads.values())),
        "old_copies_deleted": 3,
        "failed": [],
    }
    for upload_id, data in uploads.items():
        assert content(app, upload_id) == data
        assert path_of(app, upload_id) == paths[upload_id]
    assert files_in(root) == []
    assert bucket.all_keys() == sorted(f"new/{path}" for path in paths.values())
    assert bucket.multiparts() == []
    for record in records(app):
        assert (record.stored_in, record.other_copy) == ("s3", None)


def test_old_files_stay_for_a_while(on_disk: Flask, moving: Move, root: Path) -> None:
    """Downloads that have begun read them."""
    upload_id = Protocol(on_disk.test_client()).completed(b"hello", filename="a.txt")
    old = files_in(root)
    app = moving()
    assert move(app).exit_code == 3
    assert (files_in(root), content(app, upload_id)) == (old, b"hello")
    result = move(app, "--keep")
    assert (result.exit_code, files_in(root)) == (0, old)
    result = move(app, "--delete-after", "0")
    assert (result.exit_code, files_in(root)) == (0, [])
    assert result.output.splitlines()[-1].startswith("Nothing remains.")


def test_a_dry_run_changes_nothing(on_disk: Flask, moving: Move, root: Path) -> None:
    Protocol(on_disk.test_client()).completed(b"hello")
    result = move(moving(), "--dry-run")
    assert result.exit_code == 3
    assert "1 uploads (5 bytes) would be moved from file to s3." in result.output
    assert len(files_in(root)) == 1


def test_unfinished_uploads_end_where_they_began_and_move_then(
    on_disk: Flask, moving: Move, root: Path
) -> None:
    begun = Protocol(on_disk.test_client()).chunk(b"hello ", 0, 11, filename="a.txt")
    upload_id = (begun.json or {})["upload_id"]
    app = moving()
    protocol = Protocol(app.test_client())
    new = protocol.completed(b"new", filename="a.txt")
    assert moved(app, code=3)["remaining"]["unfinished"] == 1
    assert protocol.put(upload_id, b"world", 6, 11).status_code == 200
    assert protocol.complete(upload_id, b"hello world").status_code == 200
    assert len(files_in(root)) == 1
    assert content(app, upload_id) == b"hello world"
    assert moved(app)["moved"]["uploads"] == 1
    assert (content(app, upload_id), content(app, new)) == (b"hello world", b"new")
    assert files_in(root) == []


def test_a_name_that_is_free_again_on_the_disk_is_not_used_twice(
    on_disk: Flask, moving: Move, root: Path
) -> None:
    """The moved file has that name in the store; an app may have kept it."""
    protocol = Protocol(on_disk.test_client())
    first = protocol.completed(b"first", filename="a.txt")
    second = protocol.upload(b"second", filename="a.txt")
    app = moving()
    moved(app, code=3)
    assert files_in(root) == [f".incoming/{second[:2]}/{second}.{end}" for end in ("part", "turn")]
    assert Protocol(app.test_client()).complete(second, b"second").status_code == 200
    assert second in path_of(app, second)
    moved(app)
    assert [content(app, each) for each in (first, second)] == [b"first", b"second"]


def test_pieces_on_the_disk_join_an_upload_in_the_store(on_disk: Flask, moving: Move) -> None:
    tus = {"Tus-Resumable": "1.0.0", "Upload-Concat": "partial"}
    places = []
    for data in (b"hello ", b"world"):
        made = on_disk.test_client().post(
            "/uploads/tus/",
            data=data,
            headers={
                **tus,
                "Upload-Length": str(len(data)),
                "Content-Type": "application/offset+octet-stream",
            },
        )
        assert made.status_code == 201, made.text
        places.append(made.headers["Location"])
    app = moving()
    whole = {**tus, "Upload-Concat": f"final;{' '.join(places)}"}
    made = app.test_client().post("/uploads/tus/", headers=whole)
    assert made.status_code == 201, made.text
    assert content(app, made.headers["Location"].rpartition("/")[2]) == b"hello world"


class Killed(BaseException):
    """The process ends here."""


def test_a_copy_continues_where_it_was_killed(
    on_disk: Flask, moving: Move, bucket: ClientStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = uploaded(on_disk, LARGE)
    app = moving()
    monkeypatch.setattr(engine_moving, "_STEP", PART)
    sent: list[int] = []

    def send(size: int) -> None:
        sent.append(size)
        if sum(sent) > PART + MIB:
            raise Killed

    def run(send: Callable[[int], None]) -> None:
        with app.app_context():
            engine = app.extensions["chunked_upload"]["chunked_upload"].engine
            [record] = records(app)
            engine.moving(sent=send).move(record)

    with pytest.raises(Killed):
        run(send)
    [record] = records(app)
    assert record.other_copy["offset"] == PART
    assert content(app, upload_id) == LARGE
    again: list[int] = []
    run(again.append)
    assert sum(again) == len(LARGE) - PART
    assert content(app, upload_id) == LARGE
    assert bucket.multiparts() == []
    assert [key for key in bucket.all_keys() if ".incoming" in key] == []


STEPS = ["_begin", "_copy", "_promote", "_switch"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_move_that_is_killed_between_steps_can_be_repeated(
    on_disk: Flask, moving: Move, root: Path, bucket: ClientStorage, step: str, after: bool
) -> None:
    upload_id = uploaded(on_disk, LARGE[: PART + 7])
    app = moving()
    whole = getattr(Moving, step)

    def killed(self: Moving, *arguments: Any) -> Any:
        if after:
            whole(self, *arguments)
        raise Killed

    with patch.object(Moving, step, killed), pytest.raises(Killed):
        move(app)
    assert content(app, upload_id) == LARGE[: PART + 7]
    assert moved(app)["remaining"]["old_copies"] == 0
    assert content(app, upload_id) == LARGE[: PART + 7]
    assert files_in(root) == []
    assert len(bucket.all_keys()) == 1
    assert bucket.multiparts() == []


@pytest.mark.parametrize("ends", ["moved", "deleted"])
def test_a_process_killed_when_it_has_started_a_multipart_upload_leaves_none(
    on_disk: Flask, moving: Move, bucket: ClientStorage, ends: str
) -> None:
    """Before it can write down which one, and with a key that does not tell whose it is."""
    upload_id = uploaded(on_disk, LARGE)
    app = moving()
    whole = Bucket.start

    def killed(self: Bucket, key: str, metadata: dict[str, str]) -> Any:
        made = whole(self, key, metadata)
        if "/question-" in key:  # what the store can do
            return made
        raise Killed

    with patch.object(Bucket, "start", killed), pytest.raises(Killed):
        move(app)
    [left] = bucket.multiparts()
    assert upload_id not in left
    if ends == "moved":
        moved(app)
        assert content(app, upload_id) == LARGE
    else:
        assert app.test_client().delete(f"/uploads/{upload_id}").status_code == 204
    assert bucket.multiparts() == []
    assert [key for key in bucket.all_keys() if ".incoming" in key] == []


@pytest.mark.parametrize("step", ["_copy", "_promote", "_switch"])
def test_an_upload_that_is_removed_during_its_move_leaves_nothing(
    on_disk: Flask, moving: Move, root: Path, bucket: ClientStorage, step: str
) -> None:
    upload_id = uploaded(on_disk, LARGE[: PART + 7])
    app = moving()
    whole = getattr(Moving, step)

    def removed(self: Moving, *arguments: Any) -> Any:
        if step != "_copy":
            assert app.test_client().delete(f"/uploads/{upload_id}").status_code == 204
            return whole(self, *arguments)
        result = whole(self, *arguments)
        assert app.test_client().delete(f"/uploads/{upload_id}").status_code == 204
        return result

    with patch.object(Moving, step, removed):
        said = moved(app)
    assert (said["moved"]["uploads"], said["moved"]["failed"]) == (0, [])
    assert (records(app), files_in(root)) == ([], [])
    assert (bucket.all_keys(), bucket.multiparts()) == ([], [])


def test_removing_a_moved_upload_removes_its_old_file_too(
    on_disk: Flask, moving: Move, root: Path, bucket: ClientStorage
) -> None:
    upload_id = Protocol(on_disk.test_client()).completed(b"hello")
    app = moving()
    move(app)
    assert len(files_in(root)) == 1
    assert app.test_client().delete(f"/uploads/{upload_id}").status_code == 204
    assert (files_in(root), bucket.all_keys()) == ([], [])


def test_a_download_follows_a_file_that_moves_after_its_record_was_read(
    on_disk: Flask, moving: Move
) -> None:
    upload_id = Protocol(on_disk.test_client()).completed(b"hello")
    app = moving()
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    find = upload_set.engine.find

    def find_and_move(statement: Any) -> Any:
        record = find(statement)
        moved(app)
        return record

    upload_set.settings.__dict__["public_files"] = True
    with patch.object(upload_set.engine, "find", find_and_move):
        assert content(app, upload_id) == b"hello"


# What can be wrong with an upload


def test_a_damaged_file_is_told_and_stays(
    on_disk: Flask, moving: Move, root: Path, bucket: ClientStorage
) -> None:
    protocol = Protocol(on_disk.test_client())
    damaged, good = protocol.completed(b"hello", filename="a"), protocol.completed(b"good")
    [path] = [root / name for name in files_in(root) if name.endswith("/a")]
    path.write_bytes(b"hellO")
    app = moving()
    [failure] = moved(app, code=1)["moved"]["failed"]
    assert failure["upload_id"] == damaged
    assert failure["problem"] == "its md5 differs from the record's; the old file is damaged"
    assert path.read_bytes() == b"hellO"
    assert content(app, good) == b"good"
    assert len(bucket.all_keys()) == 1
    path.write_bytes(b"hello")  # from a backup
    assert moved(app)["moved"]["uploads"] == 1


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "its file is missing: "),
        (lambda path: path.write_bytes(b"hell"), "its file has 4 bytes, the record says 5"),
    ],
    ids=["missing", "short"],
)
def test_a_file_that_is_not_what_the_record_says(
    on_disk: Flask, moving: Move, root: Path, damage: Callable[[Path], None], problem: str
) -> None:
    Protocol(on_disk.test_client()).completed(b"hello")
    [name] = files_in(root)
    damage(root / name)
    result = move(moving())
    assert result.exit_code == 1
    assert problem in result.output
    assert result.output.splitlines()[-1] == (
        "Remaining: 1 complete uploads (5 bytes), 0 unfinished ones, 0 old files."
        " 1 failed, see above. Run it again."
    )


def test_another_file_of_that_name_in_the_store_stays(
    on_disk: Flask, moving: Move, bucket: ClientStorage
) -> None:
    upload_id = Protocol(on_disk.test_client()).completed(b"hello")
    key = f"new/{path_of(on_disk, upload_id)}"
    bucket.store().put_object(Bucket=bucket.bucket, Key=key, Body=b"other")
    app = moving()
    [failure] = moved(app, code=1)["moved"]["failed"]
    assert "has another file named" in failure["problem"]
    assert bucket.store().get_object(Bucket=bucket.bucket, Key=key)["Body"].read() == b"other"
    assert content(app, upload_id) == b"hello"


def test_a_store_that_fails_ends_the_run_and_the_next_one_continues(
    on_disk: Flask, moving: Move
) -> None:
    protocol = Protocol(on_disk.test_client())
    uploads = [protocol.completed(b"hello", filename=str(number)) for number in range(12)]
    app = moving()

    def fail(*_: Any) -> None:
        raise StorageBusy("the object store answered SlowDown")

    with patch.object(S3Storage, "promote", fail):
        failed = moved(app, "--jobs", "1", code=1)["moved"]["failed"]
    assert {each["problem"] for each in failed} == {"the object store answered SlowDown"}
    assert len(failed) in (10, 11)
    assert moved(app)["moved"]["uploads"] == 12
    assert {content(app, each) for each in uploads} == {b"hello"}


def test_a_copy_that_differs_is_found_by_reading_it(on_disk: Flask, moving: Move) -> None:
    upload_id = Protocol(on_disk.test_client()).completed(b"hello")
    app = moving()
    with patch.object(S3Storage, "open", lambda *_: io.BytesIO(b"hellO")):
        [failure] = moved(app, "--read-back", code=1)["moved"]["failed"]
    assert failure["problem"] == "the md5 of the copy differs from the record's"
    assert content(app, upload_id) == b"hello"
    assert moved(app, "--read-back")["moved"]["uploads"] == 1


def test_an_upload_that_another_process_moves_is_left_to_it(on_disk: Flask, moving: Move) -> None:
    Protocol(on_disk.test_client()).completed(b"hello")
    app = moving()
    with app.app_context():
        engine = app.extensions["chunked_upload"]["chunked_upload"].engine
        [first], [second] = records(app), records(app)
        engine.moving(sent=lambda _: None).move(first)
        with pytest.raises(NotToBeMoved):
            engine.moving(sent=lambda _: None).move(second)


# Back, and between stores


def test_back_to_the_disk(
    on_disk: Flask,
    moving: Move,
    make_app: Callable[..., Flask],
    root: Path,
    versitygw: Store,
    bucket: ClientStorage,
) -> None:
    upload_id = uploaded(on_disk, LARGE[: PART + 7], "a b.txt")
    before = files_in(root)
    moved(moving())
    settings = versitygw.settings(bucket.bucket, "new")
    settings["CHUNKED_UPLOAD_OLD_STORAGE"] = settings.pop("CHUNKED_UPLOAD_STORAGE")
    back = make_app(**settings, CHUNKED_UPLOAD_ROOT=str(root))
    ChunkedUpload(back)
    moved(back)
    assert content(back, upload_id) == LARGE[: PART + 7]
    assert (files_in(root), bucket.all_keys()) == (before, [])


def test_from_one_store_to_another(
    make_app: Callable[..., Flask], versitygw: Store, bucket: ClientStorage
) -> None:
    old, new = versitygw.settings(bucket.bucket, "old"), versitygw.settings(bucket.bucket, "new")
    app = make_app(**old)
    ChunkedUpload(app)
    create_tables(app)
    upload_id = uploaded(app, LARGE[: PART + 7])
    old_url = f"{old['CHUNKED_UPLOAD_STORAGE']}?endpoint={versitygw.url}"
    with pytest.raises(ConfigurationError, match="give the new one a name"):
        ChunkedUpload(make_app(**new, CHUNKED_UPLOAD_OLD_STORAGE=old_url))
    new["CHUNKED_UPLOAD_STORAGE"] += "?name=second"
    app = make_app(**new, CHUNKED_UPLOAD_OLD_STORAGE=old_url)
    ChunkedUpload(app)
    moved(app)
    assert content(app, upload_id) == LARGE[: PART + 7]
    assert bucket.all_keys() == [f"new/{path_of(app, upload_id)}"]


# Settings


def test_a_server_without_the_new_settings_refuses_what_has_moved(
    on_disk: Flask, moving: Move
) -> None:
    """It must not take the file for lost, nor write chunks into another place."""
    upload_id = Protocol(on_disk.test_client()).completed(b"hello")
    app = moving()
    begun = Protocol(app.test_client()).chunk(b"hello ", 0, 11)
    moved(app)
    stale = on_disk.test_client()
    assert stale.get(f"/uploads/{upload_id}/file").status_code == 503
    sent = Protocol(stale).put((begun.json or {})["upload_id"], b"world", 6, 11)
    assert (sent.status_code, "does not know the storage" in sent.text) == (503, True)
    assert stale.delete(f"/uploads/{upload_id}").status_code == 503
    assert content(app, upload_id) == b"hello"


def test_upload_sets_move_on_their_own(
    make_app: Callable[..., Flask], tmp_path: Path, versitygw: Store, bucket: ClientStorage
) -> None:
    def make(**config: Any) -> Flask:
        app = make_app(CHUNKED_UPLOAD_PUBLIC_FILES=True, **config)
        for name in ("photos", "papers"):
            moves = {
                "storage": f"s3://{bucket.bucket}/{name}",
                "old_storage": "file:",
            }
            place: dict[str, Any] = {"root": str(tmp_path / name)}
            UploadSet(name, **place | (moves if config else {})).init_app(app)
        return app

    app = make()
    create_tables(app)
    for name in ("photos", "papers"):
        protocol = Protocol(app.test_client(), f"/uploads/{name}")
        protocol.completed(name.encode(), filename="a.txt")
    settings = versitygw.settings(bucket.bucket)
    del settings["CHUNKED_UPLOAD_STORAGE"]
    app = make(**settings)
    result = move(app, "--set", "photos", "--delete-after", "0")
    assert result.exit_code == 0, result.output
    assert bucket.all_keys() == ["photos/a.txt"]
    move(app, "--delete-after", "0")
    assert bucket.all_keys() == ["papers/a.txt", "photos/a.txt"]
    for name in ("photos", "papers"):
        with app.test_client().get(f"/_uploads/{name}/a.txt") as download:
            assert download.data == name.encode()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"CHUNKED_UPLOAD_OLD_STORAGE": "file:"}, "move the directory itself"),
        ({"CHUNKED_UPLOAD_OLD_STORAGE": "ftp://x"}, "CHUNKED_UPLOAD_OLD_STORAGE='ftp://x' has no"),
    ],
)
def test_old_storages_that_cannot_work(
    make_app: Callable[..., Flask], settings: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ChunkedUpload(make_app(**settings))


def test_without_an_old_storage_the_command_says_what_to_set(on_disk: Flask) -> None:
    result = move(on_disk)
    assert result.exit_code == 2
    assert "set CHUNKED_UPLOAD_STORAGE to the new one" in result.output


def test_sets_that_would_move_to_one_place(
    make_app: Callable[..., Flask], versitygw: Store
) -> None:
    app = make_app(**versitygw.settings("bucket"), CHUNKED_UPLOAD_OLD_STORAGE="file:")
    ChunkedUpload(app)
    with pytest.raises(ConfigurationError, match="give each its own"):
        ChunkedUpload(app, name="other", url_prefix="/other")
