"""A conformance suite for storages: tests of what every storage must do.

Tests of a power (:mod:`chunked_upload.storage.powers`) are skipped for storages without it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chunked_upload.storage.base import (
    LeaseLost,
    PartMissing,
    Storage,
    StorageState,
    StoredUpload,
    merge,
)
from chunked_upload.storage.powers import (
    Concatenates,
    LeasesRanges,
    ListsFiles,
    ListsParts,
    LocalPaths,
    LocksExclusively,
    TellsRoom,
    WritesRanges,
)

DATA = b"hello world"


@dataclass
class AnUpload:
    """An upload for storages, without a database."""

    upload_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    offset: int = 0
    filename: str = "file.bin"
    length: int | None = None
    created_on: datetime = field(default_factory=lambda: datetime.now(UTC))
    storage_state: StorageState | None = None
    wanted_key: str | None = None


def an_upload(upload: AnUpload | str, offset: int = 0, filename: str = "file.bin") -> AnUpload:
    """Return a new upload with an id, or with another upload's id and state."""
    if isinstance(upload, str):
        return AnUpload(upload, offset, filename)
    return replace(upload, offset=offset, filename=filename)


def put(storage: Storage, upload: AnUpload, data: bytes, start: int | None = None) -> AnUpload:
    """Store bytes at the upload's end, or at ``start``, and commit them."""
    at = upload.offset if start is None else start
    with storage.open_writer(upload, at, at + len(data), have=upload.offset) as writer:
        writer.write(data, at)
        commit(upload, writer.sync())
    if at == upload.offset:
        upload.offset += len(data)
    return upload


def commit(upload: AnUpload, changes: StorageState | None) -> None:
    """Merge the changes that a writer's sync returned into the upload's state."""
    upload.storage_state = merge(upload.storage_state, changes)


def content(storage: Storage, upload: StoredUpload) -> bytes:
    """Return the recorded bytes of the part."""
    return b"".join(storage.read_part(upload, 0, upload.offset))


def file_content(storage: Storage, key: str) -> bytes:
    """Return the bytes of a promoted file."""
    with storage.open(key) as file:
        return file.read()


def _power(storage: Storage, power: type[Any]) -> Any:
    if not isinstance(storage, power):
        pytest.skip(f"{type(storage).__name__} does not have the power {power.__name__}")
    return storage


class StorageConformance:
    """Tests of a storage. Subclass it with a fixture ``storage`` that returns an empty one."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return an empty storage; override this fixture."""
        raise NotImplementedError("give your subclass a fixture named 'storage'")

    # Parts

    def test_what_is_written_can_be_read(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), DATA)
        assert content(storage, upload) == DATA
        assert b"".join(storage.read_part(upload, 3, 7)) == DATA[3:7]
        assert b"".join(storage.read_part(upload, 5, 5)) == b""

    def test_a_writer_takes_bytes_in_pieces(self, storage: Storage) -> None:
        upload = AnUpload()
        with storage.open_writer(upload, 0, None, have=0) as writer:
            for at in range(0, len(DATA), 3):
                writer.write(memoryview(DATA)[at : at + 3], at)
            commit(upload, writer.sync())
        upload.offset = len(DATA)
        assert content(storage, upload) == DATA

    def test_the_next_writer_continues(self, storage: Storage) -> None:
        upload = AnUpload()
        for piece in (b"hello", b" ", b"world"):
            put(storage, upload, piece)
        assert content(storage, upload) == DATA

    def test_bytes_that_are_not_there_are_missed(self, storage: Storage) -> None:
        with pytest.raises(PartMissing):
            list(storage.read_part(AnUpload(), 0, 1))
        upload = put(storage, AnUpload(), DATA)
        with pytest.raises(PartMissing):
            list(storage.read_part(upload, 0, len(DATA) + 1))
        with pytest.raises(PartMissing):
            storage.open_writer(upload, 99, 100, have=99).close()
        with pytest.raises(PartMissing):
            storage.promote(an_upload(upload, len(DATA) + 1), "done")

    def test_bytes_that_are_not_recorded_are_overwritten(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), b"hello")
        with storage.open_writer(upload, 5, 99, have=5) as broken:
            broken.write(b"garbage garbage", 5)
        put(storage, upload, b" world")
        assert content(storage, upload) == DATA
        assert file_content(storage, storage.promote(upload, "done")) == DATA

    def test_a_newcomer_takes_the_range_over(self, storage: Storage) -> None:
        upload = AnUpload()
        old = storage.open_writer(upload, 0, 11, have=0)
        old.write(b"OLD", 0)
        put(storage, upload, DATA)
        try:
            old.write(b"ER", 3)
        except LeaseLost:
            pass
        else:
            assert not isinstance(storage, LeasesRanges), "it must raise LeaseLost"
        finally:
            old.close()
        assert content(storage, upload) == DATA

    def test_discarding_is_final_and_may_be_repeated(self, storage: Storage) -> None:
        upload = AnUpload()
        assert not storage.has_part(upload)
        put(storage, upload, DATA)
        assert storage.has_part(upload)
        storage.discard_part(upload)
        assert not storage.has_part(upload)
        storage.discard_part(upload)
        with pytest.raises(PartMissing):
            content(storage, upload)

    def test_uploads_do_not_mix(self, storage: Storage) -> None:
        one, two = put(storage, AnUpload(), b"one"), put(storage, AnUpload(), b"two")
        storage.discard_part(one)
        assert content(storage, two) == b"two"

    # Completed files

    def test_a_promoted_file_outlives_its_part(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), DATA)
        key = storage.promote(upload, "done/2026")
        assert content(storage, upload) == DATA
        storage.discard_part(upload)
        assert file_content(storage, key) == DATA

    def test_an_empty_file_is_a_file(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), b"")
        assert file_content(storage, storage.promote(upload, "done")) == b""

    def test_promoting_again_returns_the_same_key(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), DATA)
        keys = {storage.promote(upload, "done") for _ in range(3)}
        assert len(keys) == 1

    def test_equal_names_never_overwrite(self, storage: Storage) -> None:
        contents = [b"a", b"b", b"c"]
        keys = [storage.promote(put(storage, AnUpload(), data), "done") for data in contents]
        assert [file_content(storage, key) for key in keys] == contents

    @pytest.mark.parametrize(
        "name", ["../../up.txt", "/etc/passwd", "a/b", "", ".", "..", "\0", "x" * 255, "ü 漢.txt"]
    )
    def test_any_name_will_do(self, storage: Storage, name: str) -> None:
        upload = an_upload(put(storage, AnUpload(), DATA), len(DATA), name)
        assert file_content(storage, storage.promote(upload, "done")) == DATA

    def test_a_promotion_can_be_taken_back(self, storage: Storage) -> None:
        other = put(storage, AnUpload(), b"other")
        kept = storage.promote(other, "done")
        upload = put(storage, AnUpload(), DATA)
        storage.retract(upload, "done")  # nothing to take back yet
        key = storage.promote(upload, "done")
        storage.retract(upload, "done")
        with pytest.raises(FileNotFoundError):
            storage.open(key).close()
        assert file_content(storage, kept) == b"other"

    def test_a_file_can_be_read_from_any_place(self, storage: Storage) -> None:
        key = storage.promote(put(storage, AnUpload(), DATA), "done")
        with storage.open(key) as file:
            file.seek(6)
            assert file.read(3) == b"wor"
            file.seek(0)
            assert file.read() == DATA

    def test_deleting_may_be_repeated(self, storage: Storage) -> None:
        upload = put(storage, AnUpload(), DATA)
        key = storage.promote(upload, "done")
        storage.discard_part(upload)
        storage.delete(key)
        storage.delete(key)
        with pytest.raises(FileNotFoundError):
            storage.open(key).close()

    # The place

    def test_a_working_storage_passes_its_check(self, storage: Storage) -> None:
        storage.check()
        assert storage.identity == storage.identity

    # Powers

    def test_ranges_come_in_any_order(self, storage: Storage) -> None:
        _power(storage, WritesRanges)
        upload = AnUpload()
        for start, data in ((6, b"world"), (0, b"hello"), (5, b" ")):
            with storage.open_writer(upload, start, start + len(data), have=0) as writer:
                writer.write(data, start)
                commit(upload, writer.sync())
        upload.offset = len(DATA)
        assert content(storage, upload) == DATA

    def test_leases_beside_each_other_both_stand(self, storage: Storage) -> None:
        leasing, upload = _power(storage, LeasesRanges), AnUpload()
        with (
            leasing.open_writer(upload, 0, 6, have=0) as first,
            leasing.open_writer(upload, 6, 11, have=0) as second,
        ):
            assert not first.preempted
            assert not second.preempted
            assert first.stands()
            assert second.stands()

    def test_an_overlapping_lease_ends_the_older(self, storage: Storage) -> None:
        leasing, upload = _power(storage, LeasesRanges), AnUpload()
        with leasing.open_writer(upload, 0, None, have=0) as old:
            with leasing.open_writer(upload, 4, 8, have=0) as new:
                assert new.preempted
                assert new.stands()
            assert not old.stands()
            with pytest.raises(LeaseLost):
                old.write(b"x", 0)

    def test_an_abandoned_lease_is_ended_by_the_next(self, storage: Storage) -> None:
        leasing, upload = _power(storage, LeasesRanges), AnUpload()
        leasing.open_writer(upload, 0, 11, have=0).abandon()
        with leasing.open_writer(upload, 0, 11, have=0) as lease:
            assert lease.preempted

    def test_a_path_leads_to_the_file(self, storage: Storage) -> None:
        local = _power(storage, LocalPaths)
        key = storage.promote(put(storage, AnUpload(), DATA), "done")
        assert Path(local.path(key)).is_absolute()
        assert Path(local.path(key)).read_bytes() == DATA

    def test_parts_are_concatenated(self, storage: Storage) -> None:
        joining, upload = _power(storage, Concatenates), AnUpload()
        one, two = put(storage, AnUpload(), b"hello "), put(storage, AnUpload(), b"world")
        with storage.open_writer(upload, 0, 11, have=0) as writer:
            joining.append_part(writer, one, 0, start=0, stop=4)
            joining.append_part(writer, one, 4, start=4, stop=6)
            joining.append_part(writer, two, 6, start=0, stop=5)
            commit(upload, writer.sync())
        upload.offset = len(DATA)
        storage.discard_part(one)
        storage.discard_part(two)
        assert content(storage, upload) == DATA

    def test_a_source_that_is_too_short_is_missed(self, storage: Storage) -> None:
        joining, upload = _power(storage, Concatenates), AnUpload()
        short = an_upload(put(storage, AnUpload(), b"hello"), 6)
        with storage.open_writer(upload, 0, 11, have=0) as writer:
            for source in (short, AnUpload(offset=1)):
                with pytest.raises(PartMissing):
                    joining.append_part(writer, source, 0, start=0, stop=source.offset)

    def test_parts_are_listed(self, storage: Storage) -> None:
        listing = _power(storage, ListsParts)
        assert list(listing.parts()) == []
        upload, other = put(storage, AnUpload(), DATA), put(storage, AnUpload(), DATA)
        touched = dict(listing.parts())
        assert touched.keys() == {upload.upload_id, other.upload_id}
        recent = datetime.now(UTC) - timedelta(minutes=1)
        assert all(at > recent for at in touched.values())
        listing.discard_orphan(other.upload_id)
        listing.discard_orphan(other.upload_id)
        assert [upload_id for upload_id, _ in listing.parts()] == [upload.upload_id]

    def test_files_are_listed(self, storage: Storage) -> None:
        listing = _power(storage, ListsFiles)
        assert list(listing.files()) == []
        upload = put(storage, AnUpload(), DATA)
        key = storage.promote(upload, "done")
        [(listed, upload_id, stored)] = listing.files()
        assert (listed, upload_id) == (key, upload.upload_id)
        assert stored > datetime.now(UTC) - timedelta(minutes=1)
        assert listing.is_file_of(key, upload_id)
        assert not listing.is_file_of(key, AnUpload().upload_id)

    def test_room_is_a_number_of_bytes(self, storage: Storage) -> None:
        telling = _power(storage, TellsRoom)
        assert 0 <= telling.free_bytes() < 2**63

    def test_one_holder_at_a_time(self, storage: Storage) -> None:
        locking, upload = _power(storage, LocksExclusively), put(storage, AnUpload(), DATA)
        with locking.only_one(upload) as first, locking.only_one(upload) as second:
            assert first
            assert not second
        with locking.only_one(upload) as again:
            assert again
