"""What S3 gets: parts and objects, each under a number or name that is used once."""

from __future__ import annotations

import errno
import hashlib
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest

from chunked_upload.storage.base import (
    PartHidden,
    PartMissing,
    PartWriter,
    StorageBusy,
    StorageState,
    merge,
)
from chunked_upload.storage.s3 import layout, writer
from chunked_upload.storage.s3.bucket import Bucket
from chunked_upload.storage.s3.crc import combine
from chunked_upload.storage.s3.grid import GIB, LARGEST_PART, MIB, MOST_PARTS, Grid
from chunked_upload.storage.s3.layout import Extent, covering
from chunked_upload.storage.s3.numbers import PartNumbers, for_completion, handed_over, reserve
from chunked_upload.testing import AnUpload, put
from tests.support.s3 import PART, ClientStorage, Store
from tests.support.s3_faults import counted

TIB = 1024 * GIB

TAIL = b"tail"
#: A whole part, and the start of another.
DATA = bytes(range(256)) * (PART // 256) + TAIL

MD5 = hashlib.md5(TAIL, usedforsecurity=False).hexdigest()


@pytest.fixture
def storage(versitygw: Store) -> ClientStorage:
    return versitygw.storage()


@contextmanager
def part_writer(storage: ClientStorage, upload: AnUpload) -> Iterator[PartWriter]:
    """Open a writer at the upload's end as the engine does: its numbers are reserved first."""
    start = upload.offset
    commit(upload, storage.reserve(upload, start, None, extends=True, token=0))
    with storage.open_part_writer(upload, start, None, have=start) as opened:
        yield opened


def put_parts(storage: ClientStorage, upload: AnUpload, data: bytes) -> AnUpload:
    """Store bytes at the upload's end and commit them."""
    with part_writer(storage, upload) as opened:
        opened.write(data, upload.offset)
        commit(upload, opened.sync())
    upload.offset += len(data)
    return upload


def kinds(upload: AnUpload) -> str:
    """Return the kinds of the entries of an upload's state, sorted."""
    return "".join(
        sorted(key[0] for key in upload.storage_state or {} if len(key) > len("reserved"))
    )


def commit(upload: AnUpload, changes: StorageState | None) -> None:
    """Merge the changes that a writer's sync returned into the upload's state."""
    upload.storage_state = merge(upload.storage_state, changes)


def content(storage: ClientStorage, upload: AnUpload) -> bytes:
    """Return the upload's bytes, before it is complete."""
    return b"".join(storage.read_part(upload, 0, upload.offset))


def file_content(storage: ClientStorage, key: str) -> bytes:
    """Return a finished file."""
    with storage.open(key) as file:
        return file.read()


# Slots and numbers


@pytest.mark.parametrize("length", [0, 1, 8 * MIB, 8 * MIB + 1, 20 * GIB, 5 * TIB, 48 * TIB])
def test_a_file_of_any_length_has_parts_that_s3_takes(length: int) -> None:
    grid = Grid(length, 8 * MIB)
    first, last = grid.at(0), grid.at(max(0, length - 1))
    assert first.start == 0
    assert last.start < max(length, 1) <= last.stop
    assert 8 * MIB <= first.stop <= LARGEST_PART
    assert last.first_number + last.attempts - 1 <= MOST_PARTS


def test_a_file_of_unknown_length_has_parts_that_grow() -> None:
    grid = Grid(None, 8 * MIB)
    slots = [grid.at(0)]
    while slots[-1].stop < 19 * TIB:
        slots.append(grid.at(slots[-1].stop))
        assert slots[-1].start == slots[-2].stop
        assert slots[-1].first_number >= slots[-2].first_number + slots[-2].attempts
    assert slots[-1].first_number <= MOST_PARTS


@pytest.mark.parametrize(("length", "position"), [(49 * TIB, 0), (None, 20 * TIB)])
def test_a_file_that_s3_cannot_hold_is_refused(length: int | None, position: int) -> None:
    with pytest.raises(OSError, match="S3") as error:
        Grid(length, 8 * MIB).at(position)
    assert error.value.errno == errno.EFBIG


def test_no_number_is_given_twice() -> None:
    grid, state, given = Grid(None, 8 * MIB), None, list[int]()
    for start in (0, 0, 0, 1, 3, 3, 9, 9, 40, 2000):  # requests that broke off, each at a slot
        state = merge(state, reserve(state, grid, start * 8 * MIB, None, extends=True))
        numbers = PartNumbers((state or {})["reserved"])
        slot = grid.at(start * 8 * MIB)
        for _ in range(3):
            if (number := numbers.of(slot)) is not None:
                assert number < for_completion(slot) or slot.attempts == 1
                given.append(number)
            slot = grid.at(slot.stop)
    assert len(given) == len(set(given))
    assert len(given) > 12


def test_a_request_that_has_ended_hands_its_numbers_over() -> None:
    grid, state = Grid(None, 8 * MIB), None
    for nth in range(6):  # each sends a slot and is committed
        start, stop = nth * 8 * MIB, (nth + 1) * 8 * MIB
        before = state
        state = merge(state, reserve(state, grid, start, None, extends=True, token=nth))
        assert nth == 0 or state == before  # it is given nothing that it does not have
        numbers = PartNumbers((state or {})["reserved"])
        assert numbers.of(grid.at(start)) == grid.at(start).first_number
        state = merge(state, numbers.extended(grid.at(start)))
        over = handed_over(state, grid, stop, stop + 1, token=nth + 1, own=True)
        state = merge(state, over)


def test_a_request_without_numbers_hands_over_those_that_nobody_has() -> None:
    grid, start = Grid(None, 8 * MIB), 8 * MIB
    before = reserve(None, grid, start, None, extends=True)  # a request that broke off
    over = handed_over(before, grid, start, start + 1, token=5, own=False)
    state = merge(before, over)
    assert merge(state, reserve(state, grid, start, None, extends=True, token=5)) == state
    numbers = PartNumbers((state or {})["reserved"])
    assert numbers.of(grid.at(start)) == grid.at(start).first_number + 1


def test_numbers_are_not_handed_over_if_another_request_came_in_between() -> None:
    grid, start = Grid(None, 8 * MIB), 8 * MIB
    before = {"reserved": [0, 0, 9]}
    state = merge(before, handed_over(before, grid, start, start + 1, token=7, own=True))
    numbers = PartNumbers(reserve(state, grid, start, None, extends=True, token=8)["reserved"])
    assert numbers.of(grid.at(start)) == grid.at(start).first_number + 1


def test_a_writer_stays_within_the_slots_that_it_was_given() -> None:
    grid = Grid(None, 8 * MIB)
    numbers = PartNumbers(reserve(None, grid, 0, None, extends=True)["reserved"])
    assert numbers.of(grid.at(8 * 8 * MIB)) is None
    numbers.extended(grid.at(4 * 8 * MIB))
    assert numbers.of(grid.at(8 * 8 * MIB)) is not None


def test_a_crc_of_joined_bytes_follows_from_theirs() -> None:
    one, two = b"hello ", DATA
    assert combine(zlib.crc32(one), zlib.crc32(two), len(two)) == zlib.crc32(one + two)
    assert combine(zlib.crc32(one), zlib.crc32(b""), 0) == zlib.crc32(one)


def test_of_objects_with_the_same_bytes_the_longest_gives_them() -> None:
    small, large = Extent("a", 0, 5, 0, ""), Extent("b", 0, 8, 0, "")
    last = Extent("c", 6, 6, 0, "")
    assert covering([small, last, large], 2, 12) == [(large, 2, 8), (last, 8, 12)]
    with pytest.raises(PartMissing):
        covering([small, last], 0, 12)


# Parts


def test_whole_slots_are_parts_and_the_rest_is_an_object(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    assert kinds(upload) == "mop"
    assert len(storage.multiparts()) == 1
    key = storage.promote(upload, "done")
    assert storage.multiparts() == []
    storage.discard_part(upload)
    assert storage.all_keys() == [key]
    assert file_content(storage, key) == DATA


def test_a_part_that_comes_late_changes_nothing(storage: ClientStorage) -> None:
    upload = AnUpload(length=len(DATA))
    with part_writer(storage, upload) as old:
        put_parts(storage, upload, DATA)
        old.write(b"X" * PART, 0)
        old.sync()
    assert file_content(storage, storage.promote(upload, "done")) == DATA


def test_a_late_part_of_the_same_multipart_upload_changes_nothing(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=3 * PART), DATA[:PART])
    with part_writer(storage, upload) as old:
        put_parts(storage, upload, DATA[:PART])
        old.write(b"X" * PART, PART)
        old.sync()
    put_parts(storage, upload, DATA[:PART])
    assert file_content(storage, storage.promote(upload, "done")) == 3 * DATA[:PART]


def test_after_too_many_attempts_a_slot_is_an_object(storage: ClientStorage) -> None:
    upload = AnUpload(length=len(DATA))
    for _ in range(4):
        with part_writer(storage, upload):
            pass
    put_parts(storage, upload, DATA)
    assert kinds(upload) == "oo"
    assert file_content(storage, storage.promote(upload, "done")) == DATA


def test_a_part_is_hidden_until_all_bytes_are_there(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA[:PART])
    with pytest.raises(PartHidden):
        content(storage, upload)
    put_parts(storage, upload, b"tail")
    assert content(storage, upload) == DATA
    storage.promote(upload, "done")
    storage.retract(upload, "done")
    storage.discard_part(upload)
    assert storage.all_keys() == storage.multiparts() == []


def test_a_file_may_go_elsewhere_than_expected(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    key = storage.promote(upload, "chosen/later")
    assert key.startswith("chosen/later/")
    assert storage.promote(upload, "chosen/later") == key
    assert file_content(storage, key) == DATA


@pytest.mark.parametrize("data", [TAIL, DATA], ids=["one object", "parts"])
def test_half_an_object_of_a_killed_store_is_replaced(
    versitygw: Store, storage: ClientStorage, data: bytes
) -> None:
    """versitygw first writes what is known of an object; it was killed before the object came."""
    upload = put_parts(storage, AnUpload(length=len(data)), data)
    key = f"done/file-{upload.upload_id}.bin"
    known = versitygw.directory / "side" / storage.bucket / key / "meta"
    known.mkdir(parents=True)
    (known / "etag").write_text("of the lost object")
    with pytest.raises(FileExistsError):
        storage.put_if_new(key, b"other")
    assert file_content(storage, storage.promote(upload, "done")) == data


def test_an_aborted_upload_leaves_nothing(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    storage.discard_part(upload)
    assert storage.all_keys() == storage.multiparts() == []


def test_a_file_that_is_made_while_its_upload_is_removed_goes_too(
    storage: ClientStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a request whose process dies before it sees that the upload is being removed."""
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    forget = storage._objects.forget

    def late(upload_id: str) -> None:
        storage.promote(upload, "done")
        forget(upload_id)

    monkeypatch.setattr(storage._objects, "forget", late)
    storage.withdraw(upload, "done")
    assert storage.all_keys() == storage.multiparts() == []


def test_an_orphan_without_objects_is_found(storage: ClientStorage) -> None:
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    storage._bucket.delete(storage.all_keys())
    assert [upload_id for upload_id, _ in storage.parts()] == [upload.upload_id]
    storage.discard_orphan(upload.upload_id)
    assert storage.multiparts() == []


# Joining


def test_the_store_copies_what_is_joined(storage: ClientStorage) -> None:
    one, two = put(storage, AnUpload(), DATA), put(storage, AnUpload(), DATA[:PART])
    upload, length = AnUpload(length=len(DATA) + PART), len(DATA) + PART
    with counted() as calls, storage.open_writer(upload, 0, length, have=0) as opened:
        storage.append_part(opened, one, 0, start=0, stop=len(DATA))
        storage.append_part(opened, two, len(DATA), start=0, stop=PART)
        commit(upload, opened.sync())
        assert (calls.names.count("CopyObject"), calls.names.count("GetObject")) == (2, 1)
    upload.offset = length
    storage.discard_part(one)
    storage.discard_part(two)
    assert content(storage, upload) == DATA + DATA[:PART]
    assert file_content(storage, storage.promote(upload, "done")) == DATA + DATA[:PART]


# Objects


@pytest.mark.long
def test_small_objects_are_joined(versitygw: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LISTED", 4)
    monkeypatch.setattr(writer, "LISTED", 4)
    monkeypatch.setattr(writer, "_JOINED", 4)
    monkeypatch.setattr(writer, "_READ_BY_THEN", -1)
    storage, upload = versitygw.storage(part_size=16), AnUpload()
    largest = 0
    for at in range(150):
        put(storage, upload, DATA[at : at + 1])
        largest = max(largest, len(upload.storage_state or {}))
    assert content(storage, upload) == DATA[:150]
    assert largest < 30
    assert file_content(storage, storage.promote(upload, "done")) == DATA[:150]


def test_a_host_whose_clock_is_ahead_leaves_others_what_they_may_be_reading(
    versitygw: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_JOINED", 4)
    storage, upload = versitygw.storage(part_size=16), AnUpload()
    for at in range(8):
        put(storage, upload, DATA[at : at + 1])
    replaced = layout.Layout(upload.storage_state).replaced
    assert replaced
    ahead = time.time() + 24 * 60 * 60
    monkeypatch.setattr(time, "time", lambda: ahead)
    put(storage, upload, DATA[8:9])
    assert layout.Layout(upload.storage_state).replaced.keys() >= replaced.keys()


def test_bytes_beyond_the_memory_go_through_files(versitygw: Store) -> None:
    storage = versitygw.storage(memory=1024)
    upload = put_parts(storage, AnUpload(length=len(DATA)), DATA)
    assert file_content(storage, storage.promote(upload, "done")) == DATA


def test_who_asks_what_the_store_can_do_waits_for_no_other_request(
    versitygw: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a store that hangs would hold up the second request twice as long, and so on."""
    both = Barrier(2)

    def hang(*_: object) -> None:
        both.wait(timeout=10)
        raise StorageBusy("no answer")

    storage = versitygw.storage()
    monkeypatch.setattr(Bucket, "put", hang)
    uploads = [AnUpload(), AnUpload()]
    for upload in uploads:
        commit(upload, storage.reserve(upload, 0, None, extends=True, token=0))
    with ThreadPoolExecutor(2) as threads:
        asking = [
            threads.submit(storage.open_part_writer, upload, 0, None, have=0) for upload in uploads
        ]
        for asked in asking:
            with pytest.raises(StorageBusy, match="no answer"):
                asked.result()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"ETag": f'"{MD5}"', "ChecksumCRC32": "AAAAAA=="}, "got other bytes than were sent"),
        ({"ETag": '"another"'}, "does not confirm the bytes that were sent"),
    ],
)
def test_bytes_that_the_store_does_not_confirm_are_not_stored(
    storage: ClientStorage, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str], said: str
) -> None:
    monkeypatch.setattr(storage.store(), "put_object", lambda **_: answer)
    upload = AnUpload()
    with storage.open_writer(upload, 0, None, have=0) as writer:
        writer.write(TAIL, 0)
        with pytest.raises(StorageBusy, match=said):
            writer.sync()
