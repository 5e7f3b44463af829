"""What the store's failures mean: busy, full, missing, or taken already."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..base import StorageBusy

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_FULL = frozenset({"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "507"})

#: It got other bytes than were sent, or none in time; sending them again helps.
_AGAIN = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)
#: The server failed, or cannot do it now; not 501, which says that it never can.
_NOT_NOW = frozenset({429, 500, 502, 503, 504})

#: Seconds after which a call without an answer has taken long, and for how many of them its thread
#: does not ask again.
_LONG, _GIVEN_UP = 5.0, 0.5


class _Patience(threading.local):
    """When a thread last waited long for nothing."""

    lost = float("-inf")
    #: A thread that serves many requests cannot know for which of them it waited.
    endless = False


_patience = _Patience()


def wait_for_each() -> None:
    """Have this thread wait for each of its calls, whatever became of others."""
    _patience.endless = True


def waited(began: float) -> None:
    """Have this thread's next calls fail at once, if it has waited long and in vain.

    A request that got no answer still cleans up, with several calls. It would wait for each.

    :param began: when it began to wait, on the monotonic clock.
    """
    if time.monotonic() - began >= _LONG and not _patience.endless:
        _patience.lost = time.monotonic()


@contextmanager
def translate(key: str = "") -> Iterator[None]:
    """Translate what boto3 raises in the block.

    :raises FileNotFoundError: the object or the multipart upload does not exist.
    :raises FileExistsError: the object exists, and the request was on condition that it does not.
    :raises StorageBusy: the store cannot be reached or does not answer now.
    :raises OSError: ENOSPC when it is full, EFBIG for an object that is too large, else EIO.
    """
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    unreachable = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
        ResponseParserError,
    )

    began = time.monotonic()
    if began - _patience.lost < _GIVEN_UP:
        raise StorageBusy("the object store cannot be reached")
    try:
        yield
    except exceptions.ClientError as error:
        raise _of_answer(error.response, key) from error
    except unreachable as error:
        waited(began)
        raise StorageBusy("the object store cannot be reached") from error
    except exceptions.BotoCoreError as error:  # no credentials, for example
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}", key) from error


def _of_answer(response: object, key: str) -> Exception:
    answer = response if isinstance(response, dict) else {}
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING:
        return FileNotFoundError(errno.ENOENT, code, key)
    if code in _TAKEN:
        return FileExistsError(errno.EEXIST, code, key)
    if code in _FULL:
        return OSError(errno.ENOSPC, code, key)
    if code == "EntityTooLarge":
        return OSError(errno.EFBIG, code, key)
    if code in _AGAIN or status in _NOT_NOW:
        return StorageBusy(f"the object store answered {code or status}")
    return OSError(errno.EIO, f"the object store answered {code or status}", key)
