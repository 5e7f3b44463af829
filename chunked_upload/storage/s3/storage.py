"""Bytes in a bucket of an S3-compatible store; any number of hosts may write there.

Layout below the prefix::

    .incoming/<upload_id>/<name>         objects of an unfinished upload (layout.py)
    .incoming/<upload_id>/u<name>        a note of a multipart upload, so that it can be aborted
    <path pattern>/<name>-<upload_id>    completed files, and the multipart uploads they come from

Guarantee 1: what a writer's ``sync`` returns names objects and parts that the store has confirmed,
and counts once the record has it. Guarantee 2: names are random and part numbers are reserved in
the record (numbers.py), so that a paused request that wakes up can only make what nobody refers to.
Completion uses the record's list of parts (assembly.py), and may be repeated.

A part cannot be read before its file is complete. So parts are what sequential dialects send, whose
checksums follow the bytes; everything else is kept as objects, which the store copies into the file
at completion.
"""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

from chunked_upload.errors import ConfigurationError
from chunked_upload.support.filenames import portable_filename

from ..base import (
    PartHidden,
    PartMissing,
    PartWriter,
    Storage,
    StorageBusy,
    StorageState,
    StoredUpload,
)
from ..powers import Concatenates, PresignsURLs, WritesParts, WritesRanges
from ..registry import register_storage
from . import numbers
from .assembly import Assembly, is_file_of, metadata_of
from .bucket import Bucket
from .buffer import Budget
from .connection import connect
from .file import ObjectFile
from .grid import Grid
from .joining import Joining
from .layout import Layout, covering
from .leftovers import Leftovers
from .multiparts import Multiparts
from .numbers import PartNumbers
from .objects import INCOMING, Objects
from .settings import S3Settings
from .stream import Streams
from .writer import PartsTo, S3Writer

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings

#: Longest name of a completed file, and longest key of S3, in bytes.
_LONGEST_NAME, _LONGEST_KEY = 255, 1024

_URL = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_READ_SIZE = 1024 * 1024

#: What to do when the store cannot be used; /healthz shows it, so it names no bucket.
_CHECK = (
    "check the bucket in CHUNKED_UPLOAD_STORAGE, CHUNKED_UPLOAD_S3_ENDPOINT, and the credentials"
    " that boto3 finds"
)


@register_storage("s3")
class S3Storage(WritesRanges, WritesParts, Concatenates, Leftovers, PresignsURLs, Storage):
    """A bucket, or what is below a prefix of it.

    :param client: keywords for boto3: ``endpoint_url``, ``region_name``, ``profile_name``.
    :param path: the strftime pattern of the directory of completed files.
    :param part_size: the smallest part, in bytes.
    :param memory: bytes of parts kept in memory while they arrive.
    :param timeout: seconds that an answer of the store may take.
    :param attempts: how often a call is tried.
    :param multipart: whether the store's multipart uploads can be trusted; None asks it.
    """

    settings: ClassVar[type | None] = S3Settings
    known_as = "s3"  # not the bucket: a backup may be restored into another one
    options: ClassVar[frozenset[str]] = frozenset({"endpoint", "region", "profile", "name"})

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        client: dict[str, Any] | None = None,
        path: str = "",
        part_size: int = S3Settings.s3_part_size,
        memory: int = S3Settings.s3_memory,
        timeout: float = S3Settings.s3_timeout.total_seconds(),
        attempts: int = S3Settings.s3_attempts,
        multipart: bool | None = None,
        known_as: str = "s3",
    ) -> None:
        self._identity = f"{(client or {}).get('endpoint_url') or 's3:/'}/{bucket}/{prefix}"
        self.known_as = known_as
        self._prefix = prefix and prefix.strip("/") + "/"
        connection = connect(timeout=timeout, attempts=attempts, **(client or {}))
        self._bucket = Bucket(connection, bucket)
        self._streams = Streams(connection, bucket)
        self._objects = Objects(self._bucket, self._prefix)
        self._budget = Budget(memory)
        self._path = path
        self._part_size = part_size
        self._multiparts = Multiparts(self._bucket, f"{self._prefix}{INCOMING}", known=multipart)

    @classmethod
    def from_settings(cls, settings: Settings, default_root: str) -> S3Storage:
        place = urlsplit(settings.storage or "")
        if not _URL.fullmatch(place.netloc):
            raise ConfigurationError(
                f"CHUNKED_UPLOAD_STORAGE={settings.storage!r} names no bucket; write s3://bucket"
                " or s3://bucket/prefix"
            )
        try:
            import boto3  # noqa: F401 - the error must come now, not with the first upload
        except ImportError as error:
            raise ConfigurationError(
                "CHUNKED_UPLOAD_STORAGE=s3://… needs boto3; install chunked-upload[s3]"
            ) from error
        own = settings.of(S3Settings)
        said = dict(parse_qsl(place.query))
        client = {
            "endpoint_url": said.get("endpoint", own.s3_endpoint),
            "region_name": said.get("region", own.s3_region),
            "profile_name": said.get("profile"),
        }
        return cls(
            place.netloc,
            place.path.strip("/"),
            client={name: value for name, value in client.items() if value is not None},
            path=settings.path,
            part_size=own.s3_part_size,
            memory=own.s3_memory,
            timeout=own.s3_timeout.total_seconds(),
            attempts=own.s3_attempts,
            multipart=own.s3_multipart,
            known_as=said.get("name", "s3"),
        )

    # Parts

    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> PartWriter:
        return self._writer(upload, self._layout(upload, have), stop, parts=None)

    def open_part_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> PartWriter:
        if not self._multiparts.trusted:
            return self.open_writer(upload, start, stop, have=have)
        layout = self._layout(upload, have)
        parts = PartsTo(
            key=self._key(upload, upload.created_on.strftime(self._path).strip("/")),
            metadata=metadata_of(upload),
            numbers=PartNumbers((upload.storage_state or {})["reserved"]),
            length=self._length(upload, layout),
        )
        return self._writer(upload, layout, stop, parts=parts)

    def reserve(
        self,
        upload: StoredUpload,
        start: int,
        stop: int | None,
        *,
        extends: bool,
        token: int | None,
    ) -> StorageState:
        state = upload.storage_state
        grid = self._grid(upload, Layout(state))
        return numbers.reserve(state, grid, start, stop, extends=extends, token=token)

    def hand_over(
        self, upload: StoredUpload, start: int, stop: int, *, token: int, own: bool
    ) -> StorageState:
        state = upload.storage_state
        grid = self._grid(upload, Layout(state))
        try:
            return numbers.handed_over(state, grid, start, stop, token=token, own=own)
        except OSError:  # the largest object ends there
            return {}

    def _writer(
        self, upload: StoredUpload, layout: Layout, stop: int | None, *, parts: PartsTo | None
    ) -> PartWriter:
        return S3Writer(
            self._objects,
            upload.upload_id,
            layout,
            self._grid(upload, layout),
            stop=stop,
            budget=self._budget,
            streams=self._streams,
            parts=parts,
        )

    def _layout(self, upload: StoredUpload, have: int) -> Layout:
        layout = Layout(upload.storage_state)
        if layout.end < have:
            raise PartMissing(upload.upload_id)
        return layout

    def _length(self, upload: StoredUpload, layout: Layout) -> int | None:
        return upload.length if layout.multipart is None else layout.length

    def _grid(self, upload: StoredUpload, layout: Layout) -> Grid:
        return Grid(self._length(upload, layout), self._part_size)

    def read_part(self, upload: StoredUpload, start: int, stop: int) -> Iterator[bytes]:
        if start >= stop:
            return
        layout = Layout(upload.storage_state)
        extents = self._objects.load(upload.upload_id, layout)
        if any(extent.number for extent, _, _ in covering(extents, start, stop)):
            yield from self._read_whole(upload, layout, start, stop)
        else:
            yield from self._objects.read(upload.upload_id, extents, start, stop)

    def _read_whole(
        self, upload: StoredUpload, layout: Layout, start: int, stop: int
    ) -> Iterator[bytes]:
        """Read an upload with all its bytes from its file, which is made for that.

        Nobody sees it yet: the record does not name it. Completing finds it there.
        """
        if layout.multipart is None or upload.offset != upload.length:
            raise PartHidden(upload.upload_id)
        self._assemble(upload, layout, layout.multipart.key)
        try:
            yield from self._bucket.read(layout.multipart.key, start, stop)
        except FileNotFoundError as error:
            raise PartMissing(upload.upload_id) from error

    @property
    def concatenates(self) -> bool:
        return self._multiparts.trusted

    def append_part(
        self, writer: PartWriter, source: StoredUpload, position: int, *, start: int, stop: int
    ) -> None:
        if not isinstance(writer, S3Writer):
            raise TypeError(f"{writer!r} is not a writer of this storage")
        Joining(self._objects, writer, source).copy(position, start=start, stop=stop)

    def has_part(self, upload: StoredUpload) -> bool:
        return self._objects.has_any(upload.upload_id)

    def discard_part(self, upload: StoredUpload) -> None:
        self._objects.forget(upload.upload_id)

    # Completed files

    def promote(self, upload: StoredUpload, directory: str) -> str:
        key = self._key(upload, directory)
        self._assemble(upload, Layout(upload.storage_state), key)
        return key.removeprefix(self._prefix)

    def _assemble(self, upload: StoredUpload, layout: Layout, key: str) -> None:
        if layout.multipart is None or not is_file_of(self._bucket, key, upload):
            assembly = Assembly(self._objects, self._budget, copies=self._multiparts.trusted)
            assembly.make(upload, layout, self._grid(upload, layout), key)

    def retract(self, upload: StoredUpload, directory: str) -> None:
        keys = {self._key(upload, directory)}
        if (multipart := Layout(upload.storage_state).multipart) is not None:
            keys.add(multipart.key)
        if upload.wanted_key is not None:  # without the id in it, it may be another file's
            keys = {key for key in keys if is_file_of(self._bucket, key, upload)}
        self._bucket.delete(keys)

    def withdraw(self, upload: StoredUpload, directory: str) -> None:
        # In this order: without its multipart upload, no request makes the file again.
        self.discard_part(upload)
        self.retract(upload, directory)

    def open(self, key: str) -> BinaryIO:
        whole = self._prefix + key
        found = self._bucket.find(whole)
        if found is None:
            raise FileNotFoundError(key)
        return io.BufferedReader(ObjectFile(self._bucket, whole, found.size), _READ_SIZE)

    def delete(self, key: str) -> None:
        self._bucket.delete([self._prefix + key])

    def presigned_url(self, key: str, *, filename: str, expires_in: timedelta) -> str:
        plain = portable_filename(filename, fallback="file").encode("ascii", "replace").decode()
        plain = plain.replace("?", "_").replace('"', "_").replace("\\", "_")
        disposition = (
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
        )
        seconds = int(expires_in.total_seconds())
        return self._bucket.url(self._prefix + key, seconds, disposition=disposition)

    def _key(self, upload: StoredUpload, directory: str) -> str:
        """Return the key of the finished file; with the upload's id in it, nobody else has it."""
        wanted = f"{self._prefix}{upload.wanted_key or ''}"  # its name in another storage
        if upload.wanted_key is not None and len(wanted.encode()) <= _LONGEST_KEY:
            return wanted
        folder = f"{self._prefix}{directory}/" if directory else self._prefix
        room = min(_LONGEST_NAME, _LONGEST_KEY - len(folder.encode()))
        room -= len(f"-{upload.upload_id}")
        name = portable_filename(upload.filename, fallback="file", max_bytes=max(room, 1))
        stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
        return f"{folder}{stem}-{upload.upload_id}{dot}{suffix}"

    # Housekeeping

    @property
    def identity(self) -> str:
        return self._identity

    def check(self) -> None:
        try:
            self._objects.check()
        except StorageBusy as error:
            raise OSError(errno.EIO, f"{error}; {_CHECK}") from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise OSError(errno.EIO, f"{error.strerror}; {_CHECK}") from error
