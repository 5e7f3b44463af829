"""MD5 (RFC 1321), the default: what django-chunked-upload's clients send."""

from __future__ import annotations

from typing import ClassVar

from .libcrypto import LibcryptoChecksum
from .registry import register


@register
class MD5(LibcryptoChecksum):
    """A running MD5."""

    name: ClassVar[str] = "md5"
    prefix: ClassVar[str] = "MD5"
    #: ``MD5_CTX``: A..D, Nl, Nh (u32), 16 words of data, num.
    state_size: ClassVar[int] = 92
