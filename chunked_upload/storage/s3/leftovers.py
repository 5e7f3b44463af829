"""Finds what a bucket has that perhaps no record names any more.

A finished file's key ends with the id of its upload, and its metadata have it. Only both together
make it a file of this service: the bucket may be somebody else's, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ..powers import ListsFiles, ListsParts
from .assembly import names_upload
from .bucket import Bucket
from .objects import INCOMING, Objects

_OWN_KEY = re.compile(r"-([0-9a-f]{32})(?:\.[^/]*)?$")


class Leftovers(ListsParts, ListsFiles):
    """Lists the parts and the finished files of a bucket, or of what is below a prefix of it."""

    _bucket: Bucket
    _objects: Objects
    _prefix: str

    def parts(self) -> Iterator[tuple[str, datetime]]:
        folder = f"{self._prefix}{INCOMING}"
        current: tuple[str, datetime] | None = None
        for key, stored in self._bucket.keys(folder):
            upload_id = key.removeprefix(folder).partition("/")[0]
            if current is not None and current[0] == upload_id:
                current = upload_id, max(current[1], stored)
                continue
            if current is not None:
                yield current
            current = (upload_id, stored) if re.fullmatch(r"[0-9a-f]{32}", upload_id) else None
        if current is not None:
            yield current
        yield from self._bare_multiparts()

    def _bare_multiparts(self) -> Iterator[tuple[str, datetime]]:
        """Yield uploads with multipart uploads; most of them have objects too."""
        for key, _, started in self._bucket.multiparts(self._prefix):
            if (match := _OWN_KEY.search(key)) is not None and not self._objects.has_any(match[1]):
                yield match[1], started

    def discard_orphan(self, upload_id: str) -> None:
        self._objects.forget(upload_id)
        for key, multipart, _ in self._bucket.multiparts(self._prefix):
            if (match := _OWN_KEY.search(key)) is not None and match[1] == upload_id:
                self._bucket.abort(key, multipart)

    def files(self) -> Iterator[tuple[str, str, datetime]]:
        folder = f"{self._prefix}{INCOMING}"
        for key, stored in self._bucket.keys(self._prefix):
            if not key.startswith(folder) and (match := _OWN_KEY.search(key)) is not None:
                yield key.removeprefix(self._prefix), match[1], stored

    def is_file_of(self, key: str, upload_id: str) -> bool:
        found = self._bucket.find(self._prefix + key)
        return found is not None and names_upload(found, upload_id)
