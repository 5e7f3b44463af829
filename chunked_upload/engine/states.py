"""The states of an upload, and what may happen in each: one table.

An upload goes from uploading to complete, and from either to deleting; its row is gone at the end.
Every change is a compare-and-swap that names the state it was decided in, so a request that loses
reads the record again and asks this table what its event means now: go on, or which refusal.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .errors import AlreadyComplete, UploadNotFound


class State(enum.IntEnum):
    """Where an upload stands: its record's status, or that there is no record any more."""

    GONE = 0
    UPLOADING = Status.UPLOADING
    COMPLETE = Status.COMPLETE
    DELETING = Status.DELETING


class Event(enum.Enum):
    """What a request or a command is about to do with an upload."""

    #: Store a chunk.
    WRITE = "write"
    #: Compare a chunk with bytes that are stored already.
    COMPARE = "compare"
    #: Complete it, for the first time or again.
    COMPLETE = "complete"
    #: Record that the application's hook has returned.
    NOTIFY = "notify"
    #: Remove it, finished or not.
    REMOVE = "remove"
    #: Remove what a refused first chunk made.
    FORGET = "forget"
    #: Delete the row of a removed upload.
    PURGE = "purge"


Refusal = Callable[[], ChunkedUploadError]

#: The state that follows, or why not.
TRANSITIONS: Mapping[State, Mapping[Event, State | Refusal]] = {
    State.UPLOADING: {
        Event.WRITE: State.UPLOADING,
        Event.COMPARE: State.UPLOADING,
        Event.COMPLETE: State.COMPLETE,
        Event.REMOVE: State.DELETING,
        Event.FORGET: State.DELETING,
    },
    State.COMPLETE: {
        Event.WRITE: AlreadyComplete,
        Event.COMPARE: State.COMPLETE,
        Event.COMPLETE: State.COMPLETE,
        Event.NOTIFY: State.COMPLETE,
        Event.REMOVE: State.DELETING,
    },
    State.DELETING: {Event.PURGE: State.GONE},
    State.GONE: {},
}


def refusal(state: State, event: Event) -> ChunkedUploadError | None:
    """Return why an event is refused in a state; None when it is allowed."""
    target = TRANSITIONS[state].get(event, UploadNotFound)
    return None if isinstance(target, State) else target()


def follow(state: State, event: Event) -> State:
    """Return the state that follows an event.

    :raises ChunkedUploadError: the table's refusal, when the event is not allowed.
    """
    target = TRANSITIONS[state].get(event, UploadNotFound)
    if isinstance(target, State):
        return target
    raise target()


def state_of(record: Record) -> State:
    """Return where an upload stood when its record was read."""
    return State(record.status)


def allows(record: Record, event: Event) -> bool:
    """Whether an event is allowed in the state in which the record was read."""
    return isinstance(TRANSITIONS[state_of(record)].get(event), State)
