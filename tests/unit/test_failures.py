"""What errors of the storage mean to a client: whose fault they are, and whether to try again."""

from __future__ import annotations

import errno
import os

import pytest

from chunked_upload.engine.errors import LimitReached, ServiceUnavailable, StorageFull
from chunked_upload.engine.failures import translate_failures

MEANINGS = {
    LimitReached: [errno.EFBIG, errno.EOVERFLOW],
    StorageFull: [errno.ENOSPC, errno.EDQUOT],
    ServiceUnavailable: [
        errno.EIO,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EXDEV,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ESTALE,
        errno.ENOLCK,
    ],
}


@pytest.mark.parametrize(
    ("number", "meaning"),
    [(number, meaning) for meaning, numbers in MEANINGS.items() for number in numbers],
)
def test_errors_of_the_storage(number: int, meaning: type[Exception]) -> None:
    with pytest.raises(meaning), translate_failures():
        raise OSError(number, os.strerror(number))
