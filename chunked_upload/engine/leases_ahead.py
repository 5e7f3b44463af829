"""Leases that were taken ahead: the commit of a chunk takes the lease for the one after it.

A lease in the record costs a statement that writes. Most clients send the next chunk to the same
process, beginning where the last one ended, and no longer than that one. So a commit also enters a
lease for that range, under the next fencing token, and this process remembers it. The next chunk
has its lease then as soon as it finds the record as that commit has left it.

It is a lease like any other: one request gets it, whoever comes later takes its own, which removes
it from the record, and in doing so raises the token. It is only entered while the record has no
other lease, so it never preempts anybody, and there is nobody about to move the offset that its
request has read.

What it costs when the next chunk goes elsewhere is the numbers that the storage has reserved. So a
process takes leases ahead from the first chunk on, and only as long as one after the other comes
to it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from chunked_upload.records.repository import Record

from .plan import WritePlan

#: Most uploads to remember.
_MOST_KEPT = 1024


class LeaseAhead(NamedTuple):
    """A lease that nobody uses yet.

    :param number: the number of its entry in the record, and the record's fencing token.
    :param numbered: whether the storage has reserved numbers for it.
    """

    number: int
    start: int
    stop: int
    appends: bool
    keeps_progress: bool
    numbered: bool

    def fits(self, record: Record, plan: WritePlan, *, numbered: bool) -> bool:
        """Return whether a request that has found this record may use it for its chunk."""
        return (
            record.fencing_token == self.number
            and plan.start == record.offset == self.start
            and plan.stop is not None
            and plan.stop <= self.stop
            and (plan.appends, plan.keeps_progress) == (self.appends, self.keeps_progress)
            and numbered == self.numbered
        )


class LeasesAhead:
    """Those of one process, and the tokens of the records as it has left them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, LeaseAhead | None]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, record: Record, ahead: LeaseAhead | None) -> None:
        """Remember a record that has just been committed, with the lease that was taken ahead."""
        with self._lock:
            self._kept[record.upload_id] = record.fencing_token, ahead
            self._kept.move_to_end(record.upload_id)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def take(self, record: Record) -> tuple[bool, LeaseAhead | None]:
        """Return whether this process has left the record so, and a lease that nobody else gets."""
        with self._lock:
            token, ahead = self._kept.pop(record.upload_id, (None, None))
        return token == record.fencing_token, ahead
