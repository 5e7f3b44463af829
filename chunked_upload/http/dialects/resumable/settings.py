"""The settings of the dialect."""

from __future__ import annotations

from dataclasses import dataclass

from chunked_upload.settings import fields
from chunked_upload.settings.schema import setting


@dataclass(frozen=True, kw_only=True)
class ResumableSettings:
    """Settings of the IETF's resumable uploads."""

    resumable_interim_responses: bool | None = setting(
        fields.Switch(),
        "Whether clients of the IETF's draft get interim responses (104), by which they learn the "
        "upload's URL and progress while they send. None: unless headers of the request show a "
        "proxy, since nginx 1.22, for example, takes a 104 for the answer. True: also behind a "
        "proxy; it must pass interim responses on.",
        default=None,
    )
