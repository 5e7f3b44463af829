"""What a ticket asks of an upload that it begins."""

from __future__ import annotations

from datetime import datetime

from chunked_upload.http.access.tickets import Ticket
from chunked_upload.http.errors import TicketRefused


def least_of(limit: int | None, ticket: Ticket | None) -> int | None:
    """Return the largest file in bytes, by a limit and by a ticket; None for no limit."""
    if ticket is None or ticket.max_bytes is None:
        return limit
    return ticket.max_bytes if limit is None else min(limit, ticket.max_bytes)


def check_ticket(ticket: Ticket, filename: str, *, now: datetime) -> None:
    """Check a new upload against the ticket that begins it.

    :raises TicketRefused:
    """
    if ticket.has_expired(now):
        raise TicketRefused("it has expired; it finishes what it has begun, and begins no more")
    if not ticket.allows_type(filename):
        raise TicketRefused(f"files must be of the types {', '.join(ticket.types or ())}")
