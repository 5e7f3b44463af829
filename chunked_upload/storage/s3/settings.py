"""The settings of the storage. Credentials come from boto3's own chain, never from here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chunked_upload.settings import fields
from chunked_upload.settings.schema import setting

from .grid import LARGEST_PART, SMALLEST_PART


class PartSize(fields.Size):
    """The size of a part, which S3 limits."""

    def read(self, value: Any) -> int:
        size = super().read(value) or 0
        if not SMALLEST_PART <= size <= LARGEST_PART:
            raise ValueError("must be from 5M to 5G, as S3 requires of a part")
        return size


@dataclass(frozen=True, kw_only=True)
class S3Settings:
    """Settings of uploads that are kept in an S3-compatible store."""

    s3_endpoint: str | None = setting(
        fields.Text(
            pattern=r"https?://[^\s/?#]+/?", problem="must be a URL, as https://s3.example.org"
        ),
        "URL of the S3 service. None: Amazon's, or what boto3's own configuration says. "
        "Credentials come from boto3's usual places (environment, profile, role), never from a "
        "setting.",
        default=None,
    )
    s3_region: str | None = setting(
        fields.Text(),
        "Region of the bucket. None: what boto3's own configuration says.",
        default=None,
    )
    s3_part_size: int = setting(
        PartSize(),
        "Smallest part that a file is cut into, `5M` to `5G`. Long files get larger parts, since "
        "S3 takes at most 10,000. A request keeps one part in memory, or on disk when memory is "
        "short.",
        default=8 * 1024 * 1024,
    )
    s3_memory: int = setting(
        fields.Size(),
        "Bytes of parts that a worker process keeps in memory while they arrive; more go through "
        "temporary files. Nothing there is confirmed before the store has it.",
        default=16 * 1024 * 1024,
    )
    s3_timeout: timedelta = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "How long a request to the store may wait for its answer before it is tried again. After "
        "the last try the client gets a 503 with `Retry-After`, and its upload is as it was. The "
        "request that makes the whole file may wait 60 seconds, and is tried once.",
        default=timedelta(seconds=15),
    )
    s3_attempts: int = setting(
        fields.Count(least=1),
        "How often a request to the store is tried if it fails or gets no answer.",
        default=3,
    )
    s3_multipart: bool | None = setting(
        fields.Switch(),
        "Whether the store's multipart uploads can be trusted with confirmed bytes: it copies "
        "parts and replaces them as S3 does. None: it is asked once. False: parts are kept as "
        "objects, and sent again when an upload is complete, which needs bandwidth then.",
        default=None,
    )
