"""The settings of the dialect: the extensions that an upload set need not serve."""

from __future__ import annotations

from dataclasses import dataclass

from chunked_upload.settings import fields
from chunked_upload.settings.schema import setting


@dataclass(frozen=True, kw_only=True)
class TusSettings:
    """Settings of tus."""

    tus_checksum_trailer: bool = setting(
        fields.Switch(),
        "Take `Upload-Checksum` of tus also as a trailer of a chunked body, if the request has "
        "`Trailer: Upload-Checksum`. It is offered only where the server keeps trailers: the "
        "bundled one does, most others drop them.",
        default=True,
    )
    tus_concatenation_unfinished: bool = setting(
        fields.Switch(),
        "Let clients of tus create a final upload before its partial uploads are finished. It is "
        "put together when the last of them is.",
        default=False,
    )
