"""Finding a delimiter: just what ``bytes.find`` says, faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.wire import search
from chunked_upload.wire.search import find

DELIMITER = b"\r\n--boundary"


@given(data=st.data())
def test_it_finds_what_bytes_find_finds(data: st.DataObject) -> None:
    # Look-alikes of the delimiter everywhere, zeros and ends of buffers included.
    pieces = st.sampled_from([DELIMITER, DELIMITER[:-1], b"\r\n--", b"\r", b"\0", b"x" * 5000, b""])
    buffer = b"".join(data.draw(st.lists(pieces, max_size=30)))
    start = data.draw(st.integers(0, len(buffer)))
    assert find(buffer, DELIMITER, start) == buffer.find(DELIMITER, start)


@pytest.mark.parametrize("at", [0, 1, 500_000, 1_000_000])
def test_in_a_large_buffer(at: int) -> None:
    buffer = b"\0" * at + DELIMITER + bytes(100_000)
    assert find(buffer, DELIMITER, 0) == at
    assert find(buffer, DELIMITER, at) == at
    assert find(buffer, DELIMITER, at + 1) == -1


def test_where_the_c_library_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_memmem", None)
    assert find(bytes(100_000) + DELIMITER, DELIMITER, 5) == 100_000
