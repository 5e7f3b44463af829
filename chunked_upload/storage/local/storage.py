"""Bytes on a local disk, one host.

Layout below the root::

    .incoming/ab/<upload_id>.part    the bytes, written at explicit offsets
    .incoming/ab/<upload_id>.gone    the same, of an upload that is being removed
    .incoming/ab/<upload_id>.turn    the write leases (see lease_table.py)
    <path pattern>/<name>            completed files

``CHUNKED_UPLOAD_INCOMING`` puts what is in ``.incoming`` elsewhere on the file system, so that
nothing unfinished lies below the root.

Durability (Guarantee 1): data is fdatasynced before a lease's ``sync`` returns, and a new file's
directory is synced once. Promotion is a hard link, which never overwrites and never copies. The
part keeps its own name until the record says complete, so that after a crash at any point the
client can finish by repeating the request. On a file system without hard links, promotion is a
rename to a name that contains the upload id.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..base import PartMissing, PartWriter, Storage, StoredUpload
from ..powers import (
    Concatenates,
    LeasesRanges,
    ListsParts,
    LocalPaths,
    LocksExclusively,
    TellsRoom,
    WritesRanges,
)
from ..registry import register_storage
from . import ending, files, lease_table
from .incoming import WITHIN_ROOT, choose, move, uploads_in
from .lease import LocalLease
from .lock import only_one
from .names import Candidates

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings

#: Errors of link(2) on a file system without hard links.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


@register_storage("file")
class LocalStorage(
    LeasesRanges,
    WritesRanges,
    LocalPaths,
    Concatenates,
    ListsParts,
    LocksExclusively,
    TellsRoom,
    Storage,
):
    """A directory tree on one host's disk.

    :param root: the directory; made when missing.
    :param incoming: the directory of unfinished bytes; None for ``.incoming`` in the root. Storages
        may share one.
    :param durable: whether to sync before confirming.
    :param number_names: whether taken names get a number (names.py), instead of the upload's id.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        incoming: str | os.PathLike[str] | None = None,
        durable: bool = True,
        file_mode: int = 0o640,
        directory_mode: int = 0o750,
        number_names: bool = False,
    ) -> None:
        self._number_names = number_names
        self.root = Path(root).absolute()
        self.incoming = choose(self.root, incoming)
        self._incoming = str(self.incoming)
        modes = {"file_mode": file_mode, "directory_mode": directory_mode}
        self.tree = files.Tree(self.root, durable=durable, **modes)
        #: The tree in which the unfinished bytes lie.
        self._part_tree = self.tree
        if not self.incoming.is_relative_to(self.root):
            self._part_tree = files.Tree(self.incoming, durable=durable, **modes)

    @classmethod
    def from_settings(cls, settings: Settings, default_root: str) -> LocalStorage:
        storage = cls(
            files.path_of(settings.storage) or settings.root or default_root,
            incoming=settings.incoming,
            durable=settings.durable,
            file_mode=settings.file_mode,
            directory_mode=settings.directory_mode,
            number_names=settings.number_names,
        )
        if settings.incoming is not None:
            move(storage.root / WITHIN_ROOT, storage._part_tree)
        return storage

    # Parts

    def part_path(self, upload_id: str) -> Path:
        """Return the part's path; there are 256 directories, so that each stays small."""
        return Path(self._own_name(upload_id, "part"))

    def _own_name(self, upload_id: str, suffix: str) -> str:
        # Not a Path: every chunk needs two names, and making a Path takes longer than opening it.
        return f"{self._incoming}/{upload_id[:2]}/{upload_id}.{suffix}"

    def open_part(self, upload_id: str, *, create: bool) -> int:
        """Open the part for writing.

        :param create: create it if it is missing.
        :raises PartMissing: when it is missing and ``create`` is False.
        """
        name = self._own_name(upload_id, "part")
        if create:
            return self._part_tree.open_or_create(name, sole=True)
        try:
            return files.open_regular(name, sole=True)
        except FileNotFoundError as error:
            raise PartMissing(upload_id) from error

    def open_side(self, upload_id: str) -> int:
        """Open the side file with the table of leases."""
        return self._part_tree.open_or_create(self._own_name(upload_id, "turn"), sole=True)

    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> LocalLease:
        upload_id = upload.upload_id
        part = self.open_part(upload_id, create=have == 0)
        try:
            side = self.open_side(upload_id)
        except BaseException:
            os.close(part)
            raise
        directory = self.part_path(upload_id).parent if have == 0 else None
        lease = LocalLease(self._part_tree, part, side, start, stop, directory=directory)
        if lease.size < have:
            lease.close()
            raise PartMissing(upload_id)
        return lease

    def is_leased(self, upload: StoredUpload) -> bool:
        return lease_table.is_taken(self._own_name(upload.upload_id, "turn"))

    def end_appends(self, upload: StoredUpload) -> int | None:
        try:
            side = files.open_regular(self._own_name(upload.upload_id, "turn"), sole=True)
        except (FileNotFoundError, PartMissing):
            return None
        with files.closing(side), suppress(PartMissing):
            part = self.open_part(upload.upload_id, create=False)
            with files.closing(part):
                kept = lease_table.end_appends(side)
                if kept:
                    # Opened before the appends ended, so that a sync of theirs that failed since
                    # fails here too.
                    self._part_tree.sync_data(part)
                return kept
        return None  # it is being completed, so nothing is appended

    def read_part(self, upload: StoredUpload, start: int, stop: int) -> Iterator[bytes]:
        upload_id = upload.upload_id
        with files.closing(self._open_to_read(upload_id)) as descriptor:
            yield from files.read_range(descriptor, start, stop, of=upload_id)

    def _open_to_read(self, upload_id: str) -> int:
        try:
            return os.open(self.part_path(upload_id), os.O_RDONLY | files.FLAGS)
        except FileNotFoundError as error:
            raise PartMissing(upload_id) from error

    def append_part(
        self, writer: PartWriter, source: StoredUpload, position: int, *, start: int, stop: int
    ) -> None:
        if not isinstance(writer, LocalLease):
            raise TypeError(f"{writer!r} is not a writer of this storage")
        with files.closing(self._open_to_read(source.upload_id)) as descriptor:
            writer.copy(descriptor, start, stop, position)

    def has_part(self, upload: StoredUpload) -> bool:
        return self.part_path(upload.upload_id).exists()

    def discard_orphan(self, upload_id: str) -> None:
        self._discard(upload_id, "part", "turn", "gone")

    def discard_part(self, upload: StoredUpload) -> None:
        self._discard(upload.upload_id, "part", "turn")

    def _discard(self, upload_id: str, *suffixes: str) -> None:
        part = self.part_path(upload_id)
        ending.end_leases(part.with_suffix(".turn"))
        for suffix in suffixes:
            part.with_suffix(f".{suffix}").unlink(missing_ok=True)
        if os.path.lexists(part.with_suffix(".lock")):
            # Left by a process that died. A lock that is held stays; its holder removes it.
            with self._locked(upload_id):
                pass
        if part.parent.exists():
            self._part_tree.sync_directories(part.parent)

    # Completed files

    def promote(self, upload: StoredUpload, directory: str) -> str:
        upload_id, length = upload.upload_id, upload.offset
        keys = self._candidates(upload, directory)
        try:
            part = files.open_regular(self.part_path(upload_id))
        except FileNotFoundError:
            return self._already_renamed(upload_id, keys.unique, length)
        try:
            self.tree.cut(part, length, of=upload_id)
            self.tree.make_directory((self.root / next(iter(keys))).parent)
            return self._link(upload_id, os.fstat(part), keys)
        finally:
            os.close(part)

    def retract(self, upload: StoredUpload, directory: str) -> None:
        if not self._remove_names(self.part_path(upload.upload_id), upload, directory):
            # Renamed there, or never made.
            self.delete(self._candidates(upload, directory).unique)

    def _remove_names(self, part: Path, upload: StoredUpload, directory: str) -> bool:
        """Remove a part's names as a completed file; return False when it is missing."""
        candidates = (self.root / key for key in self._candidates(upload, directory))
        with suppress(FileNotFoundError):
            for path in ending.names_of(part, candidates):
                self.delete(str(path.relative_to(self.root)))
            return True
        return False

    def withdraw(self, upload: StoredUpload, directory: str) -> None:
        part = self.part_path(upload.upload_id)
        # A chunk that arrives late may make the part again, and a request that is completing the
        # upload link that one. So no part goes without a look for its other names.
        while self._remove_names(ended := ending.end(part), upload, directory):
            ended.unlink(missing_ok=True)
        self.retract(upload, directory)
        self._discard(upload.upload_id, "turn")

    def delete_own(self, key: str, *, is_others: Callable[[], bool]) -> None:
        with ending.locked(self.root / key) as mine:
            if mine and not is_others():
                self.delete(key)

    def delete(self, key: str) -> None:
        path = self.root / key
        path.unlink(missing_ok=True)
        if path.parent.exists():
            self.tree.sync_directories(path.parent)

    def open(self, key: str) -> BinaryIO:
        return os.fdopen(os.open(self.root / key, os.O_RDONLY | files.FLAGS), "rb")

    def path(self, key: str) -> str:
        return str(self.root / key)

    def _candidates(self, upload: StoredUpload, directory: str) -> Candidates:
        return Candidates(
            upload.upload_id,
            directory,
            upload.filename,
            longest=self.tree.longest_name(),
            numbered=self._number_names,
            wanted=upload.wanted_key,
        )

    def _link(self, upload_id: str, part: os.stat_result, keys: Candidates) -> str:
        """Link the part to the first of ``keys`` that is free or already this upload's."""
        source = self.part_path(upload_id)
        if part.st_nlink > 1:  # promoted before; a name that was taken then may be free now
            keys_of_part = (key for key in keys if files.is_same(self.root / key, part))
            for key in keys_of_part:
                self.tree.sync_directories((self.root / key).parent)
                return key
        for key in keys:
            target = self.root / key
            try:
                os.link(source, target, follow_symlinks=False)
            except FileExistsError:
                if not files.is_same(target, part):
                    continue
            except FileNotFoundError as error:  # completed by another request, or removed
                if source.exists():
                    raise  # a folder above the target leads nowhere: an unmounted disk, say
                raise PartMissing(upload_id) from error
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return self._rename(source, keys.unique)
            self.tree.sync_directories(target.parent)
            return key
        raise FileExistsError(
            errno.EEXIST, "a file of this name already exists", keys.wanted or keys.unique
        )

    def _rename(self, source: Path, key: str) -> str:
        target = self.root / key
        os.rename(source, target)
        self.tree.sync_directories(target.parent)
        self._part_tree.sync_directories(source.parent)
        return key

    def _already_renamed(self, upload_id: str, key: str, length: int) -> str:
        """Return the key to which an unrecorded promotion has renamed the part."""
        with suppress(FileNotFoundError):
            if os.lstat(self.root / key).st_size == length:
                return key
        raise PartMissing(upload_id)

    # Housekeeping

    @property
    def identity(self) -> str:
        return os.path.realpath(self.incoming)  # two roots may share it

    part_directory = identity
    known_as = "file"  # not the directory, which may get another name

    def parts(self) -> Iterator[tuple[str, datetime]]:
        yield from uploads_in(self.incoming)

    def only_one(self, upload: StoredUpload) -> AbstractContextManager[bool]:
        return self._locked(upload.upload_id)

    def _locked(self, upload_id: str) -> AbstractContextManager[bool]:
        return only_one(self._part_tree, self.part_path(upload_id).with_suffix(".lock"))

    def check(self) -> None:
        self._part_tree.check(self.incoming)

    def check_promotion(self, directory: str) -> None:
        self.tree.make_directory(self.root)
        self._part_tree.check(self.incoming, target=self.root / directory)

    def free_bytes(self) -> int:
        return files.free_bytes(self.incoming)
