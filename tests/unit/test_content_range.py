"""Content-Range: exactly ``bytes first-last/total`` with first ≤ last < total < 2^63."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.wire.content_range import ContentRange, parse_content_range

numbers = st.integers(0, 2**64) | st.sampled_from([2**63 - 2, 2**63 - 1, 2**63])


@given(numbers, numbers, numbers)
def test_three_numbers(first: int, last: int, total: int) -> None:
    text = f"bytes {first}-{last}/{total}"
    if first <= last < total < 2**63:
        span = parse_content_range(text)
        assert span == ContentRange(first, last + 1, total)
        assert span.size == last + 1 - first
    else:
        with pytest.raises(BadRequestHeaders) as caught:
            parse_content_range(text)
        assert caught.value.status_code == 400


def test_leading_zeros_do_no_harm() -> None:
    assert parse_content_range("bytes 00-010/0011") == ContentRange(0, 11, 11)


@pytest.mark.parametrize("unit", ["Bytes", "BYTES", "bYTES"])
def test_units_have_no_case(unit: str) -> None:
    assert parse_content_range(f"{unit} 0-4/5") == ContentRange(0, 5, 5)


@pytest.mark.parametrize("joint", [",", ", ", ",\t"])
def test_a_doubled_header_is_refused(joint: str) -> None:
    """Servers join headers of one name by a comma; which one would count?"""
    with pytest.raises(BadRequestHeaders):
        parse_content_range(f"bytes 0-4/5{joint}bytes 0-4/5")


def test_white_space_around_is_no_part_of_the_value() -> None:
    assert parse_content_range(" \tbytes 0-10/11 ") == ContentRange(0, 11, 11)


@given(st.text() | st.from_regex(r"bytes.*[0-9]+.*-.*[0-9]+.*/.*[0-9]+.*", fullmatch=True))
def test_anything_else_is_refused(text: str) -> None:
    if re.fullmatch(r"[ \t]*(?i:bytes) [0-9]+-[0-9]+/[0-9]+[ \t]*", text, re.ASCII):
        return
    with pytest.raises(BadRequestHeaders):
        parse_content_range(text)


@given(st.text("0123456789", min_size=20, max_size=6000))
def test_endless_numbers_are_refused_cheaply(digits: str) -> None:
    for text in (f"bytes {digits}-1/2", f"bytes 0-{digits}/2", f"bytes 0-0/{digits}"):
        with pytest.raises(BadRequestHeaders):
            parse_content_range(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("items 0-1/2", "bytes first-last/total"),
        ("bytes 5-4/10", "before the first"),
        ("bytes 0-10/10", "below the total"),
        (f"bytes 0-1/{2**63}", "2^63"),
    ],
)
def test_the_error_says_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(BadRequestHeaders) as caught:
        parse_content_range(text)
    assert says in caught.value.data["reason"]
