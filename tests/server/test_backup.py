"""A backup of a running installation: PostgreSQL is dumped, then the bucket is copied; both are
restored elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tests.support import postgres, preloaded
from tests.support.s3 import MIB, PART, ClientStorage, Store
from tests.support.server import PROGRAM, Server

SMALL = b"hello world"
LARGE = hashlib.shake_256(b"backup").digest(2 * PART + 9)


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


def send(server: Server, verb: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Content-Type": "application/octet-stream"} | names
    asked = urllib.request.Request(server.url + path, body, sent, method=verb)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return Answer(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), dict(error.headers))


def chunk(server: Server, data: bytes, start: int, total: int, upload_id: str = "") -> str:
    content_range = f"bytes {start}-{start + len(data) - 1}/{total}"
    sent = send(server, "POST", f"/uploads/{upload_id}", data, Content_Range=content_range)
    assert sent.status == 200, sent
    return str(json.loads(sent.body)["upload_id"])


def complete(server: Server, upload_id: str, data: bytes) -> Answer:
    body = json.dumps({"upload_id": upload_id, "md5": hashlib.md5(data).hexdigest()}).encode()
    return send(server, "POST", "/uploads/complete", body, Content_Type="application/json")


def completed(server: Server, data: bytes) -> str:
    upload_id = chunk(server, data, 0, len(data))
    assert complete(server, upload_id, data).status == 200
    return upload_id


def begun_tus(server: Server, data: bytes) -> str:
    """Begin an upload of tus whose first part is in a multipart upload."""
    created = send(
        server,
        "POST",
        "/uploads/tus/",
        data,
        Tus_Resumable="1.0.0",
        Upload_Length=str(len(LARGE)),
        Content_Type="application/offset+octet-stream",
    )
    assert created.status == 201, created
    return created.headers["Location"].rpartition("/")[2]


def patch(server: Server, upload_id: str, data: bytes, offset: int) -> int:
    return send(
        server,
        "PATCH",
        f"/uploads/tus/{upload_id}",
        data,
        Tus_Resumable="1.0.0",
        Upload_Offset=str(offset),
        Content_Type="application/offset+octet-stream",
    ).status


def copied(source: ClientStorage, target: ClientStorage) -> None:
    """Copy a bucket's objects with their metadata, as ``rclone sync --metadata`` does."""
    for key in source.all_keys():
        found = source.store().get_object(Bucket=source.bucket, Key=key)
        content = {"Body": found["Body"].read(), "Metadata": found["Metadata"]}
        target.store().put_object(Bucket=target.bucket, Key=key, **content)


def command(server: Server, *arguments: str) -> tuple[int, str]:
    ran = preloaded.run([PROGRAM, *arguments], cwd=server.directory, env=server.environment)
    return ran.returncode, ran.stdout + ran.stderr


def test_restored_elsewhere(
    tmp_path: Path, versitygw: Store, postgres_cluster: postgres.Cluster
) -> None:
    buckets = versitygw.storage(), versitygw.storage()
    uris = [postgres_cluster.another_database(f"backup_{tmp_path.name}_{n}") for n in (0, 1)]
    servers = []
    for name, bucket, uri in zip(("a", "b"), buckets, uris, strict=True):
        (tmp_path / name).mkdir()
        settings = versitygw.settings(bucket.bucket, "service") | {
            "SQLALCHEMY_DATABASE_URI": uri,
            "SECRET_KEY": "the same",
        }
        servers.append(Server(tmp_path / name, settings))
    running, restored = servers
    with running:
        small, large = completed(running, SMALL), completed(running, LARGE)
        removed = completed(running, SMALL)
        resumes = chunk(running, SMALL[:5], 0, len(SMALL))
        lost = begun_tus(running, LARGE[: PART + MIB])
        whole = chunk(running, LARGE, 0, len(LARGE))  # complete before the bucket is copied
        postgres_cluster.dump(uris[0], tmp_path / "dump")
        # What goes on while the backup is made: the bucket is newer than the database.
        assert complete(running, whole, LARGE).status == 200
        later = completed(running, SMALL)
        assert send(running, "DELETE", f"/uploads/{removed}").status == 204
        copied(*buckets)
    postgres_cluster.restore(uris[1], tmp_path / "dump")
    with restored:
        # Every upload that was complete when the database was dumped, and is not deleted since.
        for upload_id, data in ((small, SMALL), (large, LARGE)):
            assert send(restored, "GET", f"/uploads/{upload_id}/file").body == data
        code, said = command(restored, "verify")
        assert (code, said.count("file is missing")) == (1, 1)
        assert removed in said
        assert send(restored, "GET", f"/uploads/{removed}/file").status == 404
        # Unfinished ones resume, or say that they cannot.
        chunk(restored, SMALL[5:], 5, len(SMALL), resumes)
        assert complete(restored, resumes, SMALL).status == 200
        assert send(restored, "GET", f"/uploads/{resumes}/file").body == SMALL
        assert complete(restored, whole, LARGE).status == 200
        assert send(restored, "GET", f"/uploads/{whole}/file").body == LARGE
        assert patch(restored, lost, LARGE[PART + MIB :], PART + MIB) == 410
        # What was begun after the dump is unknown, and its client starts again.
        assert send(restored, "GET", f"/uploads/{later}").status == 404
