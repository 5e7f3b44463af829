"""``GET /uploads/quota``: what the caller may have, what they have, and when it is more again."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.records.quota import Used, next_day
from chunked_upload.settings.limits import Limits

from ..schemas import QuotaSchema
from .resource import ResourceView


class QuotaView(ResourceView):
    """The caller's limits in the upload set."""

    def get(self) -> Response:
        """Answer with every limit, and how much of it is used and left."""
        self.check_permissions(request)
        caller = self.upload_set.caller(request)
        limits = self.settings.limits(caller.owner)
        key = callers.quota_key(self.upload_set.app, request, caller)
        with translate_failures():
            used, today = self.engine.records.usage(key, upload_set=self.upload_set.name)
        told = QuotaSchema().dump(self._levels(limits, used, today))
        response = self.reply(told)
        response.headers["Cache-Control"] = "no-store"
        return response

    head = get

    def _levels(self, limits: Limits, used: Used, today: int) -> dict[str, Any]:
        levels = {name: level(getattr(used, name), getattr(limits, name)) for name in Used._fields}
        day: dict[str, Any] | None = level(today, limits.bytes_per_day)
        if day is not None:
            day = {**day, "resets": next_day(self.engine.now())}
        rate = limits.requests_per_second
        return {
            **levels,
            "bytes_per_day": day,
            "requests_per_second": None if rate is None else {"max": rate},
        }


def level(used: int, most: int | None) -> dict[str, int] | None:
    """Return how much of a limit is used and left; None where there is no limit."""
    return None if most is None else {"used": used, "left": max(0, most - used), "max": most}
