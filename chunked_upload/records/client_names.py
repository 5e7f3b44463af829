"""Which upload a client means by the name that it has given the upload itself.

Such a name is neither secret nor proof, so it counts only together with who sends it. An owner is
known. An anonymous browser is known by its cookie; but it sends its first chunks before it has one.
So an upload has one of two keys, both hashes of the name:

- the *open* key, until a request with the cookie of the record's visitor has come. Until then the
  network address counts too. For a completed upload it counts only for a chunk without a cookie,
  which must have the stored bytes: a client whose last answer was lost sends it again.
- the *visitor's* key, of name and cookie, from then on. Nothing but that cookie leads to it.

A browser may send its first chunks over IPv4 and over IPv6. So for an open key, an address of the
other family counts as well, if the request has no cookie either and sends the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_

from .model import Status


@dataclass(frozen=True, kw_only=True)
class SameFile:
    """The file that a request sends: its name, and its length as the first chunk announced it."""

    filename: str
    length: int | None


@dataclass(frozen=True, kw_only=True)
class ClientName:
    """A client's own name for an upload, and how the client is known.

    :param key: the open key.
    :param quota_key: the owner, or the hashed network address.
    :param by_address: ``quota_key`` is an address.
    :param other_family: how the ``quota_key`` of an address of the other family begins, if there
        is one.
    :param visitor, visitor_key: the browser's cookie, and the key with it; no cookie if None.
    :param file: what the request sends, if it sends a file.
    """

    key: str
    quota_key: str
    by_address: bool
    other_family: str | None
    visitor: str | None
    visitor_key: str
    file: SameFile | None

    def matches(self, model: Any) -> ColumnElement[bool]:
        """Return the condition that selects the uploads of that name."""
        return or_(*self._ways(model))

    def order(self, model: Any) -> ColumnElement[int]:
        """Return what to order by: the surest match first."""
        return case(*[(way, number) for number, way in enumerate(self._ways(model))])

    def _ways(self, model: Any) -> Iterator[ColumnElement[bool]]:
        is_open = model.client_key == self.key
        if self.visitor is not None:
            yield model.client_key == self.visitor_key
            yield and_(is_open, model.visitor == self.visitor)
        here = and_(is_open, model.quota_key == self.quota_key)
        again = self.file is not None and self.visitor is None
        if self.by_address and not again:
            here = and_(here, model.status != int(Status.COMPLETE))
        yield here
        if self.file is not None and self.visitor is None and self.other_family is not None:
            yield and_(
                is_open,
                model.quota_key.startswith(self.other_family, autoescape=True),
                model.status == int(Status.UPLOADING),
                model.filename == self.file.filename,
                model.length == self.file.length,
            )
