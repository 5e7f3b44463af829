"""Compares a completed upload's file with its record: its size, and its checksums."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from chunked_upload.checksum.protocol import Checksum
from chunked_upload.checksum.registry import find
from chunked_upload.errors import ConfigurationError
from chunked_upload.records.repository import Record
from chunked_upload.support.blocking import blocking

from .failures import translate_failures
from .parts import EngineParts

#: Bytes read at a time.
_BUFFER = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How far a file has been read to compare its checksums.

    :param position: bytes that have been read.
    :param digests: the states of the checksums there, in Base64, by name.
    :param done: whether the whole file has been compared.
    :param problem: what is wrong with it; None while nothing is known to be.
    """

    position: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    done: bool = False
    problem: str | None = None


class FileCheck:
    """Compares the files of one engine's completed uploads with their records."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts

    def problem_of(self, record: Record, *, checksums: bool = False) -> str | None:
        """Return what is wrong with an upload's file; None when nothing is.

        :param checksums: whether to read the file and compare the record's checksums.
        :raises ServiceUnavailable: when the storage fails.
        """
        with translate_failures(), self._opened(record) as (file, problem):
            if file is None or problem is not None:
                return problem
            if checksums and (name := differing(record, file)) is not None:
                return _differs(name)
        return None

    def read_on(self, record: Record, reading: Reading, *, seconds: float) -> Reading:
        """Read a file on for some time, so that no request takes as long as a large file does.

        :param reading: what the last call returned.
        :raises ServiceUnavailable: when the storage fails.
        :raises ValueError: when the checksums cannot be continued in the middle of a file here.
        """
        until = time.monotonic() + seconds
        with translate_failures(), blocking(), self._opened(record) as (file, problem):
            if file is None or problem is not None or not record.checksums:
                return Reading(position=reading.position, done=True, problem=problem)
            digests = FileDigests(record, note={"digests": reading.digests})
            position = digests.begin(reading.position)
            if position != reading.position:
                raise ValueError("the state of a checksum cannot be read here")
            for start, data in read_from(file, position):
                digests.update(data, start)
                position = start + len(data)
                if time.monotonic() >= until and position < record.offset:
                    return Reading(position=position, digests=digests.whole())
            name = digests.differ(record)
        return Reading(position=position, done=True, problem=name and _differs(name))

    @contextmanager
    def _opened(self, record: Record) -> Iterator[tuple[BinaryIO | None, str | None]]:
        """Open a file; yield what is wrong with it, too."""
        try:
            file = self._parts.open_file(record)
        except FileNotFoundError:
            yield None, f"its file is missing: {record.path}"
            return
        with file:
            size = size_of(file)
            wrong = f"its file has {size} bytes, the record says {record.offset}"
            yield file, None if size == record.offset else wrong


def _differs(name: str) -> str:
    return f"its {name} differs from the record's"


def differing(record: Record, file: BinaryIO) -> str | None:
    """Read a file; return the name of a checksum that is not the record's, None if all are."""
    digests = FileDigests(record)
    for position, data in read_from(file, digests.begin(None)):
        digests.update(data, position)
    return digests.differ(record)


class FileDigests:
    """The checksums of a record while its bytes are read.

    :param note: the states to continue from; by default those in the note of a copy.
    """

    def __init__(self, record: Record, *, note: Mapping[str, Any] | None = None) -> None:
        self._running: dict[str, tuple[Checksum, int]] = {}
        self._note: Mapping[str, Any] = note or record.other_copy or {}
        for name in record.checksums:
            with suppress(ConfigurationError):  # of a package that is not installed here
                self._running[name] = find(name)(), 0

    def begin(self, offset: int | None) -> int:
        """Continue at an offset; return the position from which bytes are needed.

        :param offset: None to begin with the first byte.
        """
        for name in self._running if offset else ():
            frozen = self._note.get("digests", {}).get(name)
            if frozen is not None:
                with suppress(ValueError):  # a state of another version
                    self._running[name] = find(name).thaw(b64decode(frozen)), offset or 0
        return min((seen for _, seen in self._running.values()), default=offset or 0)

    def update(self, data: bytes, position: int) -> None:
        """Take in the bytes at a position."""
        for name, (checksum, seen) in self._running.items():
            if seen < position + len(data):
                checksum.update(data[seen - position :])
                self._running[name] = checksum, position + len(data)

    def frozen(self) -> dict[str, str]:
        """Return the states of those that can be continued."""
        return {
            name: b64encode(checksum.freeze()).decode()
            for name, (checksum, _) in self._running.items()
            if checksum.resumable()
        }

    def whole(self) -> dict[str, str]:
        """Return the states of all.

        :raises ValueError: when one of them cannot be continued.
        """
        states = self.frozen()
        if states.keys() != self._running.keys():
            raise ValueError("the state of a checksum cannot be kept here")
        return states

    def differ(self, record: Record) -> str | None:
        """Return the name of a checksum that is not the record's; None if all are."""
        for name, (checksum, _) in self._running.items():
            if checksum.hexdigest() != record.checksums[name]:
                return name
        return None


def size_of(file: BinaryIO) -> int:
    """Return a file's size in bytes."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def read_from(file: BinaryIO, position: int) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes of a file from a position on, each buffer with its position."""
    file.seek(position)
    while data := file.read(_BUFFER):
        yield position, data
        position += len(data)
