"""What an app's back end calls for a ticket, which a browser or phone then uploads with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from .access.callers import owner_key
from .access.tickets import new_ticket
from .upload_set import BoundUploadSet


class MakesTickets:
    """Makes the tickets of an upload set."""

    @property
    def upload_set(self) -> BoundUploadSet:
        """The upload set in the current app."""
        raise NotImplementedError

    def make_ticket(
        self,
        *,
        expires_in: timedelta = timedelta(minutes=15),
        uploads: int = 1,
        owner: Any = None,
        max_bytes: int | None = None,
        types: Iterable[str] | None = None,
        filename: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """Return a ticket, for a browser or phone to send as its Bearer token.

        :param expires_in: how long it begins uploads; what it has begun may be finished later.
        :param uploads: how many uploads it may have.
        :param owner: the user who owns them, as the ``user_loader`` returns it; None: they belong
            to the ticket alone.
        :param max_bytes: largest file in bytes.
        :param types: what files may be: ``image/png``, ``image/*``, ``.pdf``.
        :param filename, metadata: the file's name and fields, whatever the client says.
        :raises ValueError: for a ticket that would allow nothing, or is too long for a header.
        """
        ticket = new_ticket(
            now=self.upload_set.engine.now(),
            expires_in=expires_in,
            uploads=uploads,
            owner=owner_key(owner),
            max_bytes=max_bytes,
            types=None if types is None else tuple(types),
            filename=filename,
            metadata=metadata or {},
        )
        return self.upload_set.tickets.write(ticket)
