"""The partial uploads that a final upload names, in order, each perhaps several times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.errors import BadRequest
from chunked_upload.records.repository import Record

from .base import TusView, is_whole
from .declared import Declared

#: Most partial uploads of a final one. Clients use a handful; the answer to HEAD lists them all.
_MAX_PARTIALS = 1000

#: The id in the URL of an upload, which may be absolute or relative. HEAD returns it as it came, so
#: there must be nothing in it that could end a header; and no comma, which joins doubled headers.
_URL = re.compile(r"(?:[!-+\--:<-~]*/)?([0-9a-f]{32})/?")


class Partials:
    """The partial uploads of one final upload, as they were when they were looked up.

    :param urls: as the client wrote them.
    :raises BadRequest: for what is no URL of an upload, and for too many of them.
    """

    def __init__(self, view: TusView, urls: Iterable[str]) -> None:
        self.ids = [_id_in(url) for url in urls]
        if len(self.ids) > _MAX_PARTIALS:
            raise BadRequest(
                f"Upload-Concat names {len(self.ids)} uploads, at most {_MAX_PARTIALS} are joined"
            )
        self._view = view
        self._found: dict[str, Record] = {}
        self.look_up()

    def look_up(self) -> None:
        """Read those of them that are the caller's."""
        records = self._view.engine.records
        visible = self._view.get_queryset(self._view.request)
        with translate_failures():
            found = records.all(records.queries.among(visible, set(self.ids)))
        self._found = {record.upload_id: record for record in found}

    @property
    def found(self) -> list[Record]:
        """Those that exist, each once."""
        return list(self._found.values())

    @property
    def unfinished(self) -> list[Record]:
        """Those that exist and get more bytes."""
        return [partial for partial in self.found if not is_whole(partial)]

    @property
    def length(self) -> int | None:
        """The length of the final upload; None while it cannot be computed."""
        lengths = [self._found[one].length if one in self._found else None for one in self.ids]
        known = [length for length in lengths if length is not None]
        return sum(known) if len(known) == len(lengths) else None

    def check(self, *, may_wait: bool) -> None:
        """Check that each can be used.

        :param may_wait: whether they may be unfinished.
        :raises BadRequest: naming the first that cannot.
        """
        for upload_id in self.ids:
            problem = self._problem(self._found.get(upload_id), may_wait=may_wait)
            if problem:
                raise BadRequest(f"Upload-Concat cannot use {upload_id}: it {problem}")

    def behind(self, offset: int) -> Iterator[tuple[Record, int]]:
        """Yield those whose bytes lie behind an offset of the final upload, and from where on."""
        end = 0
        for upload_id in self.ids:
            partial, start = self._found[upload_id], end
            end += partial.offset
            if end > offset:
                yield partial, max(offset - start, 0)

    def _problem(self, partial: Record | None, *, may_wait: bool) -> str:
        if partial is None:
            return "is not an upload of yours"
        if not Declared.of(partial).is_partial:
            return "is not a partial upload"
        if self._view.engine.has_expired(partial):
            return "has expired"
        if may_wait or is_whole(partial):
            return ""
        length = "an unknown number of" if partial.length is None else partial.length
        return f"has {partial.offset} of {length} bytes"


def _id_in(url: str) -> str:
    found = _URL.fullmatch(url)
    if found is None:
        raise BadRequest(f"Upload-Concat has {url[:100]!r}, which is no URL of an upload here")
    return found[1]
