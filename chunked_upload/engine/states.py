"""The states of an upload, and the events that each state allows: one table.

An upload goes from uploading to complete, and from either to deleting; at the end its row is gone.
Every change is a compare-and-swap that names the state it was decided in. A request that loses
reads the record again and asks this table whether to continue, or which error to raise.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .errors import AlreadyComplete, UploadNotFound


class State(enum.IntEnum):
    """An upload's state: its record's status, or that its record is gone."""

    GONE = 0
    UPLOADING = Status.UPLOADING
    COMPLETE = Status.COMPLETE
    DELETING = Status.DELETING


class Event(enum.Enum):
    """What a request or a command is about to do to an upload."""

    #: Store a chunk.
    WRITE = "write"
    #: Compare a duplicate chunk with the stored bytes.
    COMPARE = "compare"
    #: Complete it, for the first time or again.
    COMPLETE = "complete"
    #: Record that the application's hook has returned.
    NOTIFY = "notify"
    #: Remove it, finished or not.
    REMOVE = "remove"
    #: Remove the record and files of a refused first chunk.
    FORGET = "forget"
    #: Delete the row of a removed upload.
    PURGE = "purge"


Refusal = Callable[[], ChunkedUploadError]

#: The next state, or the error when the event is not allowed.
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
    """Return the error for an event in a state; None when the event is allowed."""
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
    """Return the upload's state when its record was read."""
    return State(record.status)


def allows(record: Record, event: Event) -> bool:
    """Return whether an event is allowed in the state in which the record was read."""
    return isinstance(TRANSITIONS[state_of(record)].get(event), State)
