"""What is said of a store that cannot be used, at the start and by /healthz."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from chunked_upload.storage.base import StorageBusy
from chunked_upload.storage.s3.bucket import Bucket
from tests.support.s3 import ACCESS_KEY, ClientStorage, Store

WRONG = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "not the secret"}


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ({}, "the object store answered NoSuchBucket; check the bucket in CHUNKED_UPLOAD_STORAGE"),
        (WRONG, "the object store answered SignatureDoesNotMatch; check the bucket"),
    ],
)
def test_what_is_wrong_and_where_to_look(
    versitygw: Store, client: dict[str, str], said: str
) -> None:
    with pytest.raises(OSError, match=said) as raised:
        versitygw.storage("no-such-bucket", client=client).check()
    # A file name would be said to be one that the server's user must be able to write.
    assert raised.value.filename is None
    assert "not the secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("failure", "number", "said"),
    [
        (StorageBusy("it cannot be reached"), errno.EIO, "it cannot be reached; check the bucket"),
        # A full store is no reason not to start: its files can be downloaded and deleted.
        (OSError(errno.ENOSPC, "QuotaExceeded"), errno.ENOSPC, "QuotaExceeded"),
    ],
)
def test_a_store_that_is_away_or_full(
    versitygw: Store, monkeypatch: pytest.MonkeyPatch, failure: Exception, number: int, said: str
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise failure

    monkeypatch.setattr(Bucket, "put", fail)
    with pytest.raises(OSError, match=said) as raised:
        versitygw.storage("any").check()
    assert raised.value.errno == number


class Killed(BaseException):
    """Stands for the end of the process."""


def ask_what_the_store_can(storage: ClientStorage) -> None:
    assert storage._multiparts.trusted


def check_it(storage: ClientStorage) -> None:
    storage.check()


@pytest.mark.parametrize("call", ["put", "start", "copy_part", "put_part", "abort", "delete"])
@pytest.mark.parametrize("asking", [ask_what_the_store_can, check_it])
def test_what_a_killed_process_leaves_of_a_question_is_an_orphan(
    versitygw: Store,
    monkeypatch: pytest.MonkeyPatch,
    asking: Callable[[ClientStorage], None],
    call: str,
) -> None:
    storage = versitygw.storage()

    def die(*args: Any, **options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, suppress(Killed):
        for name in {call, "abort", "delete"}:  # nobody tidies up either
            patched.setattr(Bucket, name, die)
        asking(storage)
    for orphan, _ in list(storage.parts()):
        storage.discard_orphan(orphan)
    assert (storage.all_keys(), storage.multiparts()) == ([], [])
