"""Asks a store whether its multipart uploads can be trusted with confirmed bytes.

Some stores (``rclone serve s3``) copy empty parts, refuse to replace a part, and forget a multipart
upload whose completion failed. There every part is kept as an object until the upload is complete.
"""

from __future__ import annotations

import logging
import secrets

from .body import Body
from .bucket import Bucket

logger = logging.getLogger(__name__)

_DATA = b"Does this store copy parts?"


class Multiparts:
    """Whether a store does multipart uploads right.

    :param folder: the folder of unfinished uploads, ending with a slash.
    :param known: the answer, when the settings give it.
    """

    def __init__(self, bucket: Bucket, folder: str, *, known: bool | None) -> None:
        self._bucket = bucket
        self._folder = folder
        self._known = known

    @property
    def trusted(self) -> bool:
        """Whether parts may go into a multipart upload as they arrive, and be copied there.

        :raises StorageBusy, OSError: when the store cannot be asked now.
        """
        # Requests that come together may all ask, rather than wait for one that gets no answer.
        if self._known is None:
            self._known = self._ask()
        return self._known

    def _ask(self) -> bool:
        # Named as if it were an upload, so that what a killed process leaves is an orphan.
        name = secrets.token_hex(16)
        bucket, key = self._bucket, f"{self._folder}{name}/question-{name}"
        etag = bucket.put(key, Body.of(_DATA))
        try:
            right = self._does_right(key, etag)
        finally:
            bucket.delete([key])
        if not right:
            logger.warning(
                "the store of bucket %s does not copy or replace parts as S3 does: parts are kept"
                " as objects, and sent again when an upload is complete",
                bucket.name,
            )
        return right

    def _does_right(self, key: str, etag: str) -> bool:
        """Return whether an object is copied as a part, and the part then replaced."""
        try:
            multipart = self._bucket.start(key, {})
            try:
                copied = self._bucket.copy_part(multipart, 1, key)
                self._bucket.put_part(multipart, 1, Body.of(b"another"))
                return copied == etag
            finally:
                self._bucket.abort(key, multipart.upload)
        except OSError:  # it says that it cannot
            return False
