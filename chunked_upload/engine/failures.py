"""Failures of storage and database, translated into answers: 507, 503 or 410, never a bare 500."""

from __future__ import annotations

import errno
import logging
from contextlib import AbstractContextManager

from chunked_upload.records import failures as database
from chunked_upload.records.quota import QuotaExceeded
from chunked_upload.storage.base import PartMissing, StorageBusy

from .errors import LimitReached, ServiceUnavailable, StorageFull, UploadExpired

logger = logging.getLogger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

#: What writing says at an offset where no file of this file system can have bytes.
_TOO_LARGE = (errno.EFBIG, errno.EOVERFLOW)


def translate_failures() -> AbstractContextManager[None]:
    """Translate failures inside the block.

    :raises StorageFull: no room for bytes or records.
    :raises LimitReached: a quota, or the largest file that the storage can hold.
    :raises ServiceUnavailable: storage or database does not work now.
    :raises UploadExpired: the upload's bytes are gone.
    """
    return _TRANSLATION


class _Translation(AbstractContextManager[None]):
    # Every chunk enters about six of these, and a generator would cost as much as a system call.
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            _translate(error)


_TRANSLATION = _Translation()


def _translate(error: BaseException) -> None:
    """Raise what a failure means to a client; return for any other exception."""
    if (lacking := database.missing(error)) is not None:
        logger.error(
            "the database has no %s: call db.create_all() in an app context, or run `flask db"
            " upgrade` (after `flask db migrate` in an app with migrations of its own)",
            lacking,
        )
        raise ServiceUnavailable("Database is unavailable") from error
    if database.is_failure(error):
        logger.exception("database failed")
        if database.is_full(error):
            raise StorageFull from error
        raise ServiceUnavailable("Database is unavailable") from error
    match error:
        case QuotaExceeded():
            raise LimitReached(str(error), retry_after=error.retry_after) from error
        case PartMissing():
            logger.exception("the bytes of an upload are missing from the storage")
            raise UploadExpired(reason="the bytes of this upload are gone; start again") from error
        case StorageBusy():
            raise ServiceUnavailable(f"Storage is busy: {error}") from error
        case OSError() if error.errno in _TOO_LARGE:
            raise LimitReached("The storage cannot hold a file of this size") from error
        case OSError():
            logger.exception("storage failed")
            if error.errno in _NO_ROOM:
                raise StorageFull from error
            raise ServiceUnavailable(f"Storage failed: {error.strerror}") from error
