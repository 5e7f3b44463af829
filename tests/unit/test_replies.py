"""The answers' JSON: times as django-chunked-upload writes them, any text, no surprises."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.http.encoder import encode, format_time


def test_times() -> None:
    moment = datetime(2026, 11, 20, 4, 42, 22, 123999, tzinfo=UTC)
    assert format_time(moment) == "2026-11-20T04:42:22.123Z"
    assert format_time(moment.astimezone(timezone(timedelta(hours=5)))) == format_time(moment)
    assert format_time(moment.replace(microsecond=0)) == "2026-11-20T04:42:22.000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_can_be_read_back(moment: datetime) -> None:
    read = datetime.fromisoformat(format_time(moment))
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)


@given(st.dictionaries(st.text(), st.text(st.characters()) | st.none() | st.integers()))
def test_any_text_is_encoded_as_ascii(content: dict[str, str | int | None]) -> None:
    text = encode(content)
    assert text.isascii()
    assert json.loads(text) == content


def test_times_inside_an_answer() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert json.loads(encode({"expires": moment})) == {"expires": "2026-01-02T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (time(1, 2, 3, 4000), "01:02:03.004"),
        (datetime(2026, 1, 2, 3, 4, 5, 6789), "2026-01-02T03:04:05.006Z"),
        (timedelta(days=1, hours=2, seconds=3, microseconds=4), "P1DT02H00M03.000004S"),
        (-timedelta(minutes=5), "-P0DT00H05M00S"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_what_djangos_encoder_writes_is_written_as_there(value: object, written: str) -> None:
    assert json.loads(encode({"value": value})) == {"value": written}


def test_what_is_no_json_is_a_mistake_of_the_app() -> None:
    with pytest.raises(TypeError, match="object cannot be encoded"):
        encode({"x": object()})
