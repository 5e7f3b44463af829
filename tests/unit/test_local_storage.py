"""The local disk: nothing is overwritten, repeats find what is there, no link is followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chunked_upload.records.model import new_upload_id
from chunked_upload.storage.base import LeaseLost, PartMissing, StorageBusy
from chunked_upload.storage.local import ending
from chunked_upload.storage.local import files as tree_module
from chunked_upload.storage.local.storage import LocalStorage
from chunked_upload.testing import an_upload as upload

MIB = 1024 * 1024

DATA = b"hello world"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "root", durable=False)


def put(storage: LocalStorage, data: bytes = DATA, upload_id: str | None = None) -> str:
    upload_id = upload_id or new_upload_id()
    with storage.open_writer(upload(upload_id), 0, len(data), have=0) as lease:
        lease.write(data, 0)
        lease.sync()
    return upload_id


def tree(storage: LocalStorage) -> dict[str, bytes]:
    return {
        str(path.relative_to(storage.root)): path.read_bytes()
        for path in sorted(storage.root.rglob("*"))
        if path.is_file() and path.suffix != ".turn"
    }


# Parts


def test_what_is_written_can_be_read(storage: LocalStorage) -> None:
    upload_id = put(storage)
    assert b"".join(storage.read_part(upload(upload_id), 0, 11)) == DATA
    assert b"".join(storage.read_part(upload(upload_id), 3, 7)) == DATA[3:7]
    assert b"".join(storage.read_part(upload(upload_id), 5, 5)) == b""


def test_bytes_lie_at_their_own_position(storage: LocalStorage) -> None:
    upload_id = new_upload_id()
    with storage.open_writer(upload(upload_id), 6, 11, have=0) as lease:
        lease.write(b"world", 6)
    with storage.open_writer(upload(upload_id), 0, 6, have=0) as lease:
        lease.write(b"hello ", 0)
    assert b"".join(storage.read_part(upload(upload_id), 0, 11)) == DATA


@pytest.mark.parametrize("have", [1, 12])
def test_promised_bytes_that_are_not_there(storage: LocalStorage, have: int) -> None:
    upload_id = put(storage) if have > 11 else new_upload_id()
    with pytest.raises(PartMissing):
        storage.open_writer(upload(upload_id), have, 100, have=have)
    with pytest.raises(PartMissing):
        list(storage.read_part(upload(upload_id), 0, 12))
    with pytest.raises(PartMissing):
        storage.promote(upload(upload_id, 12, "f"), "done")


def test_a_newcomers_lease_ends_an_overlapping_one(storage: LocalStorage) -> None:
    upload_id = new_upload_id()
    old = storage.open_writer(upload(upload_id), 0, 11, have=0)
    old.write(b"old", 0)
    with storage.open_writer(upload(upload_id), 2, 5, have=0) as new:
        assert new.preempted
        assert not old.stands()
        with pytest.raises(LeaseLost):
            old.write(b"LATE BYTES", 0)
        new.write(b"new", 2)
        assert new.stands()
    old.close()
    assert b"".join(storage.read_part(upload(upload_id), 0, 5)) == b"olnew"


def test_turns_beside_each_other(storage: LocalStorage) -> None:
    upload_id = new_upload_id()
    with (
        storage.open_writer(upload(upload_id), 0, 6, have=0) as first,
        storage.open_writer(upload(upload_id), 6, 11, have=0) as second,
    ):
        assert not second.preempted
        second.write(b"world", 6)
        first.write(b"hello ", 0)
    assert b"".join(storage.read_part(upload(upload_id), 0, 11)) == DATA


def test_discarding_ends_every_lease(storage: LocalStorage) -> None:
    upload_id = new_upload_id()
    lease = storage.open_writer(upload(upload_id), 0, None, have=0)
    storage.discard_part(upload(upload_id))
    with pytest.raises(LeaseLost):
        lease.write(b"x", 0)
    lease.close()
    lease.close()  # idempotent
    assert not storage.has_part(upload(upload_id))
    assert tree(storage) == {}
    storage.discard_part(upload(upload_id))  # idempotent


def test_short_writes_are_continued(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    upload_id = new_upload_id()
    lease = storage.open_writer(upload(upload_id), 0, None, have=0)
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, bytes(data[:3]), at))
    lease.write(DATA, 0)
    monkeypatch.undo()
    lease.close()
    assert b"".join(storage.read_part(upload(upload_id), 0, 11)) == DATA


# Promotion


def test_promotion_makes_the_whole_file_visible(storage: LocalStorage) -> None:
    key = storage.promote(upload(put(storage), 11, "a.txt"), "done/2026")
    assert key == "done/2026/a.txt"
    with storage.open(key) as stream:
        assert stream.read() == DATA
    assert Path(storage.path(key)).read_bytes() == DATA


def test_garbage_past_the_length_is_cut_off(storage: LocalStorage) -> None:
    key = storage.promote(upload(put(storage, DATA + b"garbage"), 11, "a.txt"), "done")
    assert Path(storage.path(key)).read_bytes() == DATA


def test_equal_names_never_overwrite(storage: LocalStorage) -> None:
    contents = [b"%d" % n for n in range(5)]
    keys = [storage.promote(upload(put(storage, data), 1, "a.txt"), "done") for data in contents]
    assert len(set(keys)) == 5
    assert [Path(storage.path(key)).read_bytes() for key in keys] == contents
    assert all(key.startswith("done/a") and key.endswith(".txt") for key in keys)


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link", "fifo"])
def test_whatever_has_the_name_stays(storage: LocalStorage, kind: str, tmp_path: Path) -> None:
    target = storage.root / "done" / "a.txt"
    target.parent.mkdir(parents=True)
    (tmp_path / "other").write_bytes(b"other")
    match kind:
        case "file":
            target.write_bytes(b"mine")
        case "directory":
            target.mkdir()
        case "link":
            target.symlink_to(tmp_path / "other")
        case "dangling link":
            target.symlink_to(tmp_path / "nothing")
        case "fifo":
            os.mkfifo(target)
    before = os.lstat(target)
    key = storage.promote(upload(put(storage), 11, "a.txt"), "done")
    assert key != "done/a.txt"
    assert os.lstat(target).st_ino == before.st_ino
    assert (tmp_path / "other").read_bytes() == b"other"
    assert not (tmp_path / "nothing").exists()
    assert Path(storage.path(key)).read_bytes() == DATA


@pytest.mark.parametrize("taken", [False, True])
def test_repeating_after_a_crash_returns_the_same_key(storage: LocalStorage, taken: bool) -> None:
    if taken:
        storage.promote(upload(put(storage, b"other", "a" * 32), 5, "a.txt"), "done")
        storage.discard_part(upload("a" * 32))
    upload_id = put(storage)
    keys = {storage.promote(upload(upload_id, 11, "a.txt"), "done") for _ in range(3)}
    assert len(keys) == 1
    storage.discard_part(upload(upload_id))
    assert Path(storage.path(keys.pop())).read_bytes() == DATA
    assert len(tree(storage)) == 1 + taken


@pytest.mark.parametrize("taken", [False, True])
def test_retracting_takes_only_ones_own(storage: LocalStorage, taken: bool) -> None:
    if taken:
        storage.promote(upload(put(storage, b"other", "a" * 32), 5, "a.txt"), "done")
        storage.discard_part(upload("a" * 32))
    upload_id = put(storage)
    storage.retract(upload(upload_id, 0, "a.txt"), "done")  # nothing to take back yet
    assert storage.has_part(upload(upload_id))
    storage.promote(upload(upload_id, 11, "a.txt"), "done")
    storage.retract(upload(upload_id, 0, "a.txt"), "done")
    storage.discard_part(upload(upload_id))
    assert tree(storage) == ({"done/a.txt": b"other"} if taken else {})


def test_deleting(storage: LocalStorage) -> None:
    upload_id = put(storage)
    key = storage.promote(upload(upload_id, 11, "a.txt"), "done")
    storage.discard_part(upload(upload_id))
    storage.delete(key)
    storage.delete(key)  # idempotent
    assert tree(storage) == {}
    with pytest.raises(FileNotFoundError):
        storage.open(key)


def test_a_withdrawn_part_gets_no_name_any_more(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = upload(put(storage), 11, "a.txt")
    looked = ending.names_of

    def look_while_another_request_completes(part: Path, names: Iterable[Path]) -> Iterator[Path]:
        found = list(looked(part, names))
        with pytest.raises(PartMissing):  # it comes when all names have been looked through
            storage.promote(late, "done")
        return iter(found)

    monkeypatch.setattr(ending, "names_of", look_while_another_request_completes)
    storage.withdraw(late, "done")
    assert tree(storage) == {}


def test_a_withdrawal_that_was_cut_short_is_finished(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn = upload(put(storage), 11, "a.txt")
    storage.promote(withdrawn, "done")

    def die(part: Path, names: Iterable[Path]) -> Iterator[Path]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ending, "names_of", die)
        with pytest.raises(KeyboardInterrupt):
            storage.withdraw(withdrawn, "done")
    assert "done/a.txt" in tree(storage)
    storage.discard_part(withdrawn)  # a late request's, which must not hide the name
    storage.withdraw(withdrawn, "done")
    assert tree(storage) == {}


def test_a_part_that_a_late_chunk_makes_again_leads_to_the_names_it_has_got(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the model (tests/model): the file stayed, and no record told whose it was."""
    removed = upload(put(storage), 11, "a.txt")
    (storage.root / "done").mkdir()
    part = storage.part_path(removed.upload_id)
    really_retract = storage.retract

    def retract(*what: Any) -> None:
        really_retract(*what)
        os.close(storage.open_part(removed.upload_id, create=True))  # by a late first chunk
        os.link(part, storage.root / "done" / "a.txt")  # by a request that has opened the old part

    with monkeypatch.context() as patched:
        patched.setattr(storage, "retract", retract)
        storage.withdraw(removed, "done")  # the request that has linked it dies
    storage.withdraw(removed, "done")  # the late chunk's own, once it has looked at the record
    assert tree(storage) == {}


def test_a_name_that_another_upload_has_by_now_is_left_alone(storage: LocalStorage) -> None:
    one, two = (upload(put(storage), 11, "a.txt") for _ in range(2))
    key = storage.promote(one, "done")
    storage.discard_part(one)
    storage.delete_own(key, is_others=lambda: False)
    assert storage.promote(two, "done") == key
    storage.delete_own(key, is_others=lambda: False)  # no record has it yet, but a part
    storage.discard_part(two)
    storage.delete_own(key, is_others=lambda: True)
    assert tree(storage) == {key: DATA}


def test_one_request_at_a_time_removes_a_file(storage: LocalStorage) -> None:
    one, two = (upload(put(storage), 11, "a.txt") for _ in range(2))
    key = storage.promote(one, "done")
    storage.discard_part(one)

    def another_removes_it_meanwhile() -> bool:
        with pytest.raises(StorageBusy):
            storage.delete_own(key, is_others=lambda: False)
        assert storage.promote(two, "done") != key
        return False

    storage.delete_own(key, is_others=another_removes_it_meanwhile)
    assert key not in tree(storage)


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system (vfat, some network ones) that has no hard links."""

    def link(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("without_links")
def test_without_hard_links(storage: LocalStorage) -> None:
    ids = [put(storage, b"%d" % n) for n in range(3)]
    keys = [storage.promote(upload(one, 1, "a.txt"), "done") for one in ids]
    assert len(set(keys)) == 3
    assert [
        storage.promote(upload(one, 1, "a.txt"), "done") for one in ids
    ] == keys  # after a crash
    assert [Path(storage.path(key)).read_bytes() for key in keys] == [b"0", b"1", b"2"]
    for one in ids:
        storage.retract(upload(one, 0, "a.txt"), "done")
        storage.discard_part(upload(one))
    assert tree(storage) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("../../x", "/etc/passwd", "a/b", "..", "．．／x", ".hidden", "CON", "", "\0", "\ud800"),
        *("a" * 5000, "é" * 300 + ".txt"),
    ],
    ids=lambda name: ascii(name[:20]),
)
@pytest.mark.parametrize("directory", ["done", "", "a/b/c"])
def test_no_name_leaves_its_directory(storage: LocalStorage, name: str, directory: str) -> None:
    for _ in range(2):
        upload_id = put(storage)
        key = storage.promote(upload(upload_id, 11, name), directory)
        storage.discard_part(upload(upload_id))
        path = Path(storage.path(key))
        assert path.parent == storage.root / directory
        assert len(path.name.encode()) <= 255
        assert path.read_bytes() == DATA


def test_names_fit_a_file_system_with_shorter_ones(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or every completion would fail, after all the bytes have come."""
    monkeypatch.setattr(storage.tree, "longest_name", lambda: 143)
    keys = [storage.promote(upload(put(storage), 11, "é" * 120 + ".txt"), "d") for _ in range(2)]
    assert len(set(keys)) == 2
    for key in keys:
        assert len(Path(key).name.encode()) <= 143
        assert key.endswith(".txt")


# Hostile neighbours, modes


@pytest.mark.parametrize("suffix", [".part", ".turn"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "directory", "fifo"])
def test_what_stands_in_a_parts_place_is_refused(
    storage: LocalStorage, tmp_path: Path, suffix: str, kind: str
) -> None:
    upload_id = new_upload_id()
    place = storage.part_path(upload_id).with_suffix(suffix)
    place.parent.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    match kind:
        case "link":
            place.symlink_to(victim)
        case "dangling link":
            place.symlink_to(tmp_path / "nothing")
        case "directory":
            place.mkdir()
        case "fifo":
            os.mkfifo(place)
    with pytest.raises((PartMissing, OSError)):
        storage.open_writer(upload(upload_id), 0, 11, have=0)
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "nothing").exists()


def test_a_folder_that_leads_nowhere_does_not_cost_the_part(
    storage: LocalStorage, tmp_path: Path
) -> None:
    """A link to a disk that is not mounted: once it is, the upload can be completed."""
    upload_id = put(storage)
    disk = tmp_path / "disk"
    (storage.root / "files").symlink_to(disk)
    with pytest.raises(FileNotFoundError):
        storage.promote(upload(upload_id), "files")
    disk.mkdir()
    assert storage.promote(upload(upload_id), "files")


def test_a_part_swapped_for_a_link_is_neither_read_nor_promoted(
    storage: LocalStorage, tmp_path: Path
) -> None:
    upload_id = put(storage)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious!!!")
    storage.part_path(upload_id).unlink()
    storage.part_path(upload_id).symlink_to(victim)
    with pytest.raises((PartMissing, OSError)):
        list(storage.read_part(upload(upload_id), 0, 11))
    with pytest.raises((PartMissing, OSError)):
        storage.promote(upload(upload_id, 11, "a.txt"), "done")
    storage.discard_part(upload(upload_id))
    assert victim.read_bytes() == b"precious!!!"
    assert not (storage.root / "done" / "a.txt").exists()


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_are_as_set_whatever_the_umask(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "root", durable=False, file_mode=0o640, directory_mode=0o750)
    upload_id = put(storage)
    key = storage.promote(upload(upload_id, 11, "f"), "a/b")
    files = [storage.part_path(upload_id), Path(storage.path(key))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    directories = [storage.part_path(upload_id).parent, Path(storage.path(key)).parent,
                   storage.root / "a", storage.root / ".incoming", storage.root]  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in directories} == {0o750}


@pytest.mark.usefixtures("umask")
def test_a_setgid_root_hands_its_group_down(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    root.chmod(0o2770)
    storage = LocalStorage(root, durable=False, directory_mode=0o750)
    upload_id = put(storage)
    key = storage.promote(upload(upload_id, 11, "f"), "a/b")
    directories = [storage.part_path(upload_id).parent, Path(storage.path(key)).parent, root / "a"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directories} == {0o2750}
    assert stat.S_IMODE(root.stat().st_mode) == 0o2770


def test_a_setgid_parent_hands_its_group_to_a_new_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    LocalStorage(tmp_path / "root", durable=False, directory_mode=0o750).check()
    assert stat.S_IMODE((tmp_path / "root").stat().st_mode) == 0o2750


def test_syncing_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda descriptor, name=name: synced.append(name))
    for durable in (False, True):
        storage = LocalStorage(tmp_path / str(durable), durable=durable)
        storage.promote(upload(put(storage), 11, "f"), "done")
        assert bool(synced) == durable
    assert {"fsync", "fdatasync"} == set(synced)


def test_large_writes_are_on_their_way_to_the_disk_before_they_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[int, int]] = []

    def sync_file_range(descriptor: int, start: int, size: int, flags: int) -> None:
        started.append((start, size))

    monkeypatch.setattr(tree_module, "_sync_file_range", lambda: sync_file_range)
    for durable in (False, True):
        storage = LocalStorage(tmp_path / str(durable), durable=durable)
        with storage.open_writer(upload("a" * 32), 0, None, have=0) as lease:
            lease.write(b"small", 0)
            lease.write(bytes(MIB), 5)
    assert started == [(5, MIB)]


def test_systems_that_cannot_begin_early_sync_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_module, "_sync_file_range", lambda: None)
    storage = LocalStorage(tmp_path)
    with storage.open_writer(upload("a" * 32), 0, None, have=0) as lease:
        lease.write(bytes(MIB), 0)
        lease.sync()
    assert b"".join(storage.read_part(upload("a" * 32), 0, MIB)) == bytes(MIB)


# Housekeeping


def test_only_one_at_a_time(storage: LocalStorage) -> None:
    upload_id = put(storage)
    with (
        storage.only_one(upload(upload_id)) as first,
        storage.only_one(upload(upload_id)) as second,
    ):
        assert first
        assert not second
    with storage.only_one(upload(upload_id)) as again:
        assert again
    storage.discard_part(upload(upload_id))
    assert tree(storage) == {}


def test_a_lock_that_another_takes_and_lets_go_meanwhile_is_free(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty completions at once a few were answered 503: it was there, and gone again."""
    upload_id = put(storage)
    lock = storage.part_path(upload_id).with_suffix(".lock")
    really_open = os.open
    # Before the next two calls that find out.
    others: list[Callable[[], Any]] = [partial(lock.write_bytes, b""), lock.unlink]

    def open_(path: Any, flags: int, *mode: int) -> int:
        if str(path) == str(lock) and others and (flags & os.O_CREAT or len(others) == 1):
            others.pop(0)()
        return really_open(path, flags, *mode)

    monkeypatch.setattr(os, "open", open_)
    with storage.only_one(upload(upload_id)) as mine:
        assert mine
    assert not others


def test_the_check_leaves_nothing(storage: LocalStorage) -> None:
    storage.check()
    assert tree(storage) == {}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EFBIG])
def test_an_offset_that_no_file_can_have_is_too_large(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with storage.open_writer(upload(new_upload_id()), 2**62, 2**62 + 1, have=0) as lease:
        monkeypatch.setattr(os, "pwrite", fail)
        with pytest.raises(OSError, match="File too large") as caught:
            lease.write(b"x", 2**62)
        monkeypatch.undo()
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("made", ["", "done", "done/today"])
def test_the_check_of_promotion_leaves_nothing(storage: LocalStorage, made: str) -> None:
    (storage.root / made).mkdir(parents=True)
    storage.check_promotion("done/today")
    assert tree(storage) == {}
    assert (storage.root / "done").exists() == bool(made)


def test_completed_files_on_another_file_system(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match=r"are not on one file system.*; mount") as caught:
        storage.check_promotion("done")
    assert caught.value.errno == errno.EXDEV
    monkeypatch.undo()
    assert tree(storage) == {}


def test_the_check_tells_a_root_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        LocalStorage(tmp_path / "file" / "root").check()


@pytest.mark.parametrize("fails", ["the side file", "the lease table", "the part, which is short"])
def test_a_lease_that_cannot_be_taken_gives_its_descriptors_back(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def refuse(*_: object) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    upload_id, have = put(storage), len(DATA)
    if fails == "the side file":
        monkeypatch.setattr(storage, "open_side", refuse)
    elif fails == "the lease table":
        monkeypatch.setattr("chunked_upload.storage.local.lease.Entry", refuse)
    else:
        have += 1
    before = os.listdir("/dev/fd")
    with pytest.raises((OSError, PartMissing)):
        storage.open_writer(upload(upload_id), have, None, have=have)
    assert os.listdir("/dev/fd") == before
