"""What storage and database say when they fail, as answers: 507, 503 or 410, never a bare 500."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .errors import ServiceUnavailable, StorageFull, UploadExpired
from .storage.base import PartMissing, StorageBusy

logger = logging.getLogger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def failing_parts() -> Iterator[None]:
    """Translate failures inside the block.

    :raises StorageFull: no room for bytes or records.
    :raises ServiceUnavailable: storage or database does not work now.
    :raises UploadExpired: the upload's bytes are gone.
    """
    try:
        yield
    except PartMissing as error:
        logger.exception("the bytes of an upload are missing from the storage")
        raise UploadExpired(reason="the bytes of this upload are gone; begin anew") from error
    except StorageBusy as error:
        raise ServiceUnavailable(f"Storage is busy: {error}") from error
    except OSError as error:
        logger.exception("storage failed")
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise ServiceUnavailable(f"Storage failed: {error.strerror}") from error
    except (ProgrammingError, IntegrityError, DataError, NotSupportedError):
        raise  # a mistake of ours or of the app, not a failure of the database
    except (DatabaseError, InterfaceError, PoolTimeout) as error:
        logger.exception("database failed")
        if _database_is_full(error):
            raise StorageFull from error
        raise ServiceUnavailable("Database is unavailable") from error


def _database_is_full(error: Exception) -> bool:
    said = str(getattr(error, "orig", "")).lower()
    return "is full" in said or "no space left" in said
