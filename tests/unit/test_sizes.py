"""Numbers of bytes as people read them."""

from __future__ import annotations

import pytest

from chunked_upload.support.sizes import readable


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_500_000, "1.5 MB"),
        (123_456_789_000, "123 GB"),
        (10**15, "1 PB"),
        (10**18, "1e+03 PB"),
    ],
)
def test_sizes_are_readable(size: int, said: str) -> None:
    assert readable(size) == said
