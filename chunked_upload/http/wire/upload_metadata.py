"""``Upload-Metadata``, the header of tus with a file's name and whatever else its client tells.

tus-js-client and Uppy also send it when they speak the IETF's draft, which does not know it.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Request

from chunked_upload.http.errors import BadRequestHeaders

#: A key of Upload-Metadata: ASCII that can be seen, without comma and space.
_KEY = re.compile(r"[!-+\--~]+")


@dataclass(frozen=True)
class Metadata:
    """What the client tells about a new upload.

    :param raw: the header as it was sent; HEAD returns it. Empty for none.
    :param fields: the decoded pairs.
    """

    raw: str
    fields: Mapping[str, str]

    @property
    def filename(self) -> str:
        """The file's name, empty for none: Uppy sends ``filename``, others ``name``."""
        return self.fields.get("filename") or self.fields.get("name", "")

    @property
    def content_type(self) -> str:
        """The file's media type according to the client, empty for none."""
        return self.fields.get("filetype") or self.fields.get("type", "")


def read_metadata(request: Request) -> Metadata:
    """Return ``Upload-Metadata``: pairs of a key and a value in Base64, separated by commas.

    A value that is not UTF-8 is kept as near to it as text can be; ``raw`` has it as it is. Some
    clients (tuspy) send an empty header when they have no metadata.

    :raises BadRequestHeaders: naming the pair that is wrong.
    """
    raw = request.headers.get("Upload-Metadata", "").strip()
    fields: dict[str, str] = {}
    for pair in raw.split(",") if raw else ():
        key, _, value = pair.strip(" \t").partition(" ")
        if not _KEY.fullmatch(key):
            raise BadRequestHeaders(
                f"Upload-Metadata has {pair[:40]!r}; expected a key in ASCII and a value in Base64"
            )
        if key in fields:
            raise BadRequestHeaders(f"Upload-Metadata has the key {key[:40]!r} twice")
        try:
            fields[key] = b64decode(value, validate=True).decode(errors="replace")
        except (NotBase64, ValueError) as error:
            raise BadRequestHeaders(
                f"Upload-Metadata's value of {key[:40]!r} is not Base64"
            ) from error
    return Metadata(raw, fields)
