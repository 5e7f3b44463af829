"""Holds an upload's bytes against its owner's quota, before they are stored.

Every byte passes :class:`~chunked_upload.engine.chunk.Chunk`, so no dialect can pass the quota by.
What a request declares is held when its chunk begins. If a chunk's end is known only when it is
reached, more is held as more arrives.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.records.quota import Quota, held
from chunked_upload.records.repository import Record, Records
from chunked_upload.settings.keys import Settings

from .failures import translate_failures
from .parts import EngineParts
from .plan import WritePlan

logger = logging.getLogger(__name__)

#: What is held beyond the bytes that have arrived, so that not every buffer asks: an eighth of
#: them, and this many bytes.
_AHEAD = 64 * 1024


def quota_of(record: Record, settings: Settings, records: Records) -> Quota | None:
    """Return the quota of an upload's owner; None for no limit."""
    limits = settings.limits(record.owner)
    return Quota(limits, records.days) if limits.limits_uploads else None


class Holding:
    """What is held for the upload of one chunk.

    :param record: the upload as the chunk's lease found it.
    :param plan: the chunk's, settled with that record.
    :raises LimitReached: when the quota has no room for what the plan declares.
    """

    def __init__(self, record: Record, plan: WritePlan, parts: EngineParts) -> None:
        self.plan = plan
        self._record = record
        self._parts = parts
        #: The end of the bytes that may be stored without asking again.
        self.end: float = held(record)
        if not parts.settings.may_limit_bytes:
            self.end = math.inf
        declared = plan.start if plan.last else plan.stop or 0
        self.cover(max(declared, plan.total or 0), ahead=0)

    def cover(self, end: int, *, ahead: int = _AHEAD) -> None:
        """Hold the bytes up to ``end``, if they are not held yet.

        :param ahead: more bytes to hold if there is room for them.
        :raises LimitReached: when the quota has no room for them.
        """
        if end <= self.end:
            return
        parts = self._parts
        # Asked only now: an app's function for plans may take its time.
        quota = quota_of(self._record, parts.settings, parts.records)
        if quota is None or not quota.limits.limits_bytes:
            self.end = math.inf
            return
        most = min(self.plan.stop or math.inf, end + end // 8 + ahead) if ahead else end
        with translate_failures():
            self.end = parts.records.hold(self._record, quota, least=end, most=max(end, int(most)))

    def settle(self, reserved: int | None) -> None:
        """Give back to the day what was held for bytes that did not come.

        :param reserved: what the upload holds now, if its commit has lowered that.
        """
        records = self._parts.records
        if reserved is None or records.days is None or self.end == math.inf:
            return
        try:
            records.give_back(self._record, int(self.end) - reserved)
        except DatabaseProblem:  # the chunk is stored, which counts; the day is charged too much
            logger.exception("bytes could not be given back to the owner of %s", self._record)


def held_at_commit(record: Record, plan: WritePlan, position: int) -> dict[str, Any]:
    """Return the change of ``reserved`` when a chunk is committed.

    :param position: the end of the chunk's bytes.
    """
    if plan.appends or plan.start or plan.stop is not None or record.reserved == position:
        return {}
    # The chunk was the whole file, and its end is known now. No other request holds more for it:
    # every other range overlaps this one, so that its lease would have ended this chunk.
    return {"reserved": position}
