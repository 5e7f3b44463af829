"""SHA-256 (FIPS 180-4), for apps that need more than MD5."""

from __future__ import annotations

from typing import ClassVar

from .libcrypto import LibcryptoChecksum
from .registry import register


@register
class SHA256(LibcryptoChecksum):
    """A running SHA-256."""

    name: ClassVar[str] = "sha256"
    prefix: ClassVar[str] = "SHA256"
    #: ``SHA256_CTX``: h[8], Nl, Nh (u32), 16 words of data, num, md_len.
    state_size: ClassVar[int] = 112
