"""Computes checksums of whole files: the background digest has them, or the bytes are read.

A checksum that needed reading is recorded at once, even if the request fails later. So a client
that repeats a wrong checksum does not make the server read the file again. One request at a time
reads the bytes of an upload; the others wait for its result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from chunked_upload.checksum.background import BackgroundDigest
from chunked_upload.checksum.protocol import Checksum
from chunked_upload.checksum.registry import find
from chunked_upload.records.repository import Record
from chunked_upload.support.blocking import blocking

from .digesting import thaw
from .errors import NotComplete, ServiceUnavailable
from .failures import translate_failures
from .parts import EngineParts
from .states import State, state_of

#: Bytes of a completed file read at a time.
_READ_SIZE = 1024 * 1024

#: Seconds that a request waits for another one that reads the same upload.
_LONGEST_WAIT = 10.0


class FileChecksums:
    """Computes the checksums of one engine's uploads once all their bytes are stored.

    :param part_in_use: the context for reading a part that another request may remove meanwhile.
    """

    def __init__(
        self, parts: EngineParts, *, part_in_use: Callable[[Record], AbstractContextManager[None]]
    ) -> None:
        self._parts = parts
        self._digests = parts.digests
        self._records = parts.records
        self._part_in_use = part_in_use
        self._reading = _OneEach()

    def of(self, record: Record, also: Iterable[str] = ()) -> dict[str, str]:
        """Return the checksums that the engine keeps, and those named in ``also``, by name.

        :raises NotComplete: when bytes are missing.
        :raises AlreadyComplete, UploadNotFound: when another request has completed or removed the
            upload meanwhile.
        :raises ServiceUnavailable: when another request is reading the file and takes long.
        """
        complete = state_of(record) is State.COMPLETE
        if not complete and record.offset != record.length:
            raise NotComplete(record.offset)
        names = {*self._digests.kinds, *also}
        found = {} if complete else self._in_background(record)
        if not names <= found.keys() | _recorded(record).keys():
            with translate_failures(), self._reading.hold(record.upload_id):
                self._look_again(record, complete)
                missing = names - found.keys() - _recorded(record).keys()
                if missing:
                    found |= self._computed(record, [find(name) for name in missing])
        found |= _recorded(record)
        return {name: found[name] for name in names}

    def drop(self, record: Record) -> None:
        """Forget the background digest of an upload that is complete."""
        self._digests.background.drop(record.upload_id)

    def _in_background(self, record: Record) -> dict[str, str]:
        background = self._digests.background
        digest = background.take(record.upload_id, record.offset)
        if digest is None:
            return {}
        digest.wait()
        background.keep(record.upload_id, digest)  # this completion may be refused
        return _hexdigests(digest)

    def _look_again(self, record: Record, complete: bool) -> None:
        """Read the record again, since another request may have changed it.

        :raises UploadNotFound, AlreadyComplete, UploadExpired:
        """
        self._parts.look_again(record)
        if not complete:
            self._parts.check_open(record)

    def _computed(self, record: Record, kinds: list[type[Checksum]]) -> dict[str, str]:
        """Return checksums of the stored bytes, read once for all checksums."""
        complete = state_of(record) is State.COMPLETE
        running = [(kind(), 0) if complete else thaw(record, kind) for kind in kinds]
        first = min(seen for _, seen in running)
        with blocking():
            for position, data in self._file(record) if complete else self._part(record, first):
                _take_in(running, position, data)
        found = {checksum.name: checksum.hexdigest() for checksum, _ in running}
        if first < record.offset:
            self._record(record, found)
        return found

    def _part(self, record: Record, position: int) -> Iterator[tuple[int, bytes]]:
        with self._part_in_use(record):
            for data in self._parts.storage_of(record).read_part(record, position, record.offset):
                yield position, data
                position += len(data)

    def _file(self, record: Record) -> Iterator[tuple[int, bytes]]:
        with self._parts.open_file(record) as file:
            while data := file.read(_READ_SIZE):
                yield file.tell() - len(data), data

    def _record(self, record: Record, found: dict[str, str]) -> None:
        if state_of(record) is State.COMPLETE:
            self._records.record_checksums(record, checksums={**record.checksums, **found})
            return
        states = {
            name: {"offset": record.offset, "hexdigest": digest} for name, digest in found.items()
        }
        self._records.record_checksums(record, checksum_states={**record.checksum_states, **states})


def _recorded(record: Record) -> dict[str, str]:
    """Return the recorded checksums that cover all bytes of the upload."""
    if state_of(record) is State.COMPLETE:
        return record.checksums
    return {
        name: state["hexdigest"]
        for name, state in record.checksum_states.items()
        if "hexdigest" in state and state["offset"] == record.offset
    }


def _hexdigests(digest: BackgroundDigest) -> dict[str, str]:
    states, _ = digest.reached
    return {name: find(name).thaw(state).hexdigest() for name, state in states.items()}


def _take_in(running: list[tuple[Checksum, int]], position: int, data: bytes) -> None:
    """Update each checksum that has not seen the bytes yet."""
    for checksum, seen in running:
        if seen < position + len(data):
            checksum.update(data[max(seen - position, 0) :])


class _OneEach:
    """Lets one request at a time work on each upload."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[None]:
        """Wait until no other request holds the upload, then hold it.

        :raises ServiceUnavailable: when another request still holds it after
            :data:`_LONGEST_WAIT`.
        """
        with blocking(), self._changed:
            if not self._changed.wait_for(lambda: upload_id not in self._held, _LONGEST_WAIT):
                raise ServiceUnavailable(
                    "The checksum of this upload is being computed for another request; try again"
                )
            self._held.add(upload_id)
        try:
            yield
        finally:
            with self._changed:
                self._held.remove(upload_id)
                self._changed.notify_all()
