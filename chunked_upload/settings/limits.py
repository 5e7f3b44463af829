"""Limits for each owner: settings, and what a function for plans returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import fields, functions
from .schema import setting


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one owner may have in an upload set; None is no limit.

    :param open_uploads, open_bytes: unfinished uploads, and their bytes.
    :param stored_files, stored_bytes: all uploads, finished or not, and their bytes.
    :param bytes_per_day: bytes that are announced on one day (UTC).
    :param requests_per_second: as many at once, and then this many a second.
    """

    open_uploads: int | None = None
    open_bytes: int | None = None
    stored_files: int | None = None
    stored_bytes: int | None = None
    bytes_per_day: int | None = None
    requests_per_second: int | None = None

    @property
    def limits_bytes(self) -> bool:
        """Whether an upload that grows may reach a limit."""
        return not (self.open_bytes is self.stored_bytes is self.bytes_per_day is None)

    @property
    def limits_uploads(self) -> bool:
        """Whether a new upload may reach a limit."""
        return self.limits_bytes or not (self.open_uploads is self.stored_files is None)


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """The settings that limit each owner, beside those of unfinished uploads."""

    max_stored_files: int | None = setting(
        fields.Count(),
        "Uploads, finished or not, that one owner may have in the upload set.",
        default=None,
    )
    max_stored_bytes: int | None = setting(
        fields.Size(),
        "Bytes of one owner's uploads in the upload set, finished or not. An unfinished one counts "
        "as for `CHUNKED_UPLOAD_MAX_OPEN_BYTES`.",
        default=None,
    )
    max_bytes_per_day: int | None = setting(
        fields.Size(),
        "Bytes that one owner may send in a day (UTC). They count when they are announced: a new "
        "upload counts with its length. What has not arrived when it is removed on the same day is "
        "given back.",
        default=None,
    )
    max_requests_per_second: int | None = setting(
        fields.Count(),
        "Requests of one owner in a second, on each host. As many may come at once. More are "
        "answered 429 with `Retry-After`.",
        default=None,
    )
    limits_of: Any = setting(
        functions.LimitsOf(),
        "Function of an owner (None for an anonymous caller) that returns their "
        "`chunked_upload.Limits`, or its dotted name: for plans. It decides all limits of an "
        "owner, in place of the settings for them, also those of unfinished uploads.",
        default=None,
    )
    max_open_uploads: int | None = setting(
        fields.Count(),
        "Unfinished uploads that one owner may have in the upload set. A chunk that does not say "
        "yet to which upload it belongs counts like one.",
        default=None,
    )
    max_open_bytes: int | None = setting(
        fields.Size(),
        "Bytes that one owner's unfinished uploads in the upload set may take in all. Each counts "
        "with the length it declares, or with what has arrived if that is more.",
        default=None,
    )

    @property
    def counts_days(self) -> bool:
        """Whether bytes are counted by the day."""
        return self.max_bytes_per_day is not None or self.limits_of is not None

    def limits(self, owner: str | None) -> Limits:
        """Return what an owner may have.

        :raises TypeError: when the app's function returns something else.
        """
        function: Callable[[str | None], Any] | None = self.limits_of
        if function is None:
            return self._same_for_all
        found = function(owner)
        if not isinstance(found, Limits):
            raise TypeError(
                f"CHUNKED_UPLOAD_LIMITS_OF must return chunked_upload.Limits, not {found!r}"
            )
        return found

    @cached_property
    def _same_for_all(self) -> Limits:
        return Limits(
            open_uploads=self.max_open_uploads,
            open_bytes=self.max_open_bytes,
            stored_files=self.max_stored_files,
            stored_bytes=self.max_stored_bytes,
            bytes_per_day=self.max_bytes_per_day,
            requests_per_second=self.max_requests_per_second,
        )

    @property
    def may_limit_bytes(self) -> bool:
        """Whether an upload that grows may reach a limit of its owner."""
        own = (self.max_open_bytes, self.max_stored_bytes, self.max_bytes_per_day, self.limits_of)
        return any(limit is not None for limit in own)

    @property
    def may_limit_requests(self) -> bool:
        """Whether requests are counted."""
        return self.max_requests_per_second is not None or self.limits_of is not None
