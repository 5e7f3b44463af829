"""SHA-512 (FIPS 180-4), which clients may send as ``Repr-Digest``."""

from __future__ import annotations

from typing import ClassVar

from .libcrypto import LibcryptoChecksum
from .registry import register


@register
class SHA512(LibcryptoChecksum):
    """A running SHA-512."""

    name: ClassVar[str] = "sha512"
    prefix: ClassVar[str] = "SHA512"
    #: ``SHA512_CTX``: h[8], Nl, Nh (u64), 128 bytes of data, num, md_len.
    state_size: ClassVar[int] = 216
