"""What Dropzone says about a chunk: read, or refused with the field that is wrong."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.http.dialects.dropzone import DropzoneDialect
from chunked_upload.http.dialects.dropzone.fields import FIELDS, read_chunk
from chunked_upload.http.errors import BadRequest

NUMBERS = sorted(FIELDS - {"dzuuid"})
FIRST = {
    "dzuuid": "8f9b3f4c-3f0a-4c0e-9a69-0d7c9b2f7b1e",
    "dzchunkindex": "0",
    "dzchunkbyteoffset": "0",
    "dztotalfilesize": "14",
    "dztotalchunkcount": "3",
    "dzchunksize": "5",
}


def refused(**fields: str) -> str:
    with pytest.raises(BadRequest) as error:
        read_chunk({**FIRST, **fields})
    assert error.value.status_code == 400
    detail: str = error.value.data["detail"]
    return detail


@given(st.integers(1, 2**40), st.integers(1, 2**30), st.data())
def test_what_dropzone_sends(total: int, size: int, data: st.DataObject) -> None:
    count = math.ceil(total / size)
    index = data.draw(st.integers(0, count - 1))
    numbers = {
        "dzchunkindex": index,
        "dzchunkbyteoffset": index * size,
        "dztotalfilesize": total,
        "dztotalchunkcount": count,
        "dzchunksize": size,
    }
    chunk = read_chunk({"dzuuid": "x"} | {name: str(value) for name, value in numbers.items()})
    assert chunk is not None
    assert (chunk.start, chunk.length) == (index * size, total)
    assert chunk.last == (index == count - 1)
    assert chunk.size == (None if chunk.last else size)
    assert chunk.least_length == chunk.most_length == total


@pytest.mark.parametrize("announced", [0, 10, 16, 1000])
def test_an_announced_size_that_cannot_be_it(announced: int) -> None:
    chunk = read_chunk({**FIRST, "dztotalfilesize": str(announced)})
    assert chunk is not None
    assert chunk.length is None
    assert (chunk.least_length, chunk.most_length) == (11, 15)


def test_other_fields_are_none_of_its() -> None:
    view: Any = SimpleNamespace(request=None)
    for fields in ({"upload_id": "x", "name": "y"}, {}):
        incoming: Any = SimpleNamespace(raw=False, fields=fields)
        assert not DropzoneDialect().recognises_file(view, incoming, None)


def test_the_name_alone_is_a_whole_file() -> None:
    chunk = read_chunk({"dzuuid": "x"})
    assert chunk is not None
    assert (chunk.start, chunk.stop, chunk.last, chunk.length) == (0, None, True, None)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_one_is_missing(name: str) -> None:
    with pytest.raises(BadRequest, match=name):
        read_chunk({one: value for one, value in FIRST.items() if one != name})


def test_several_are_missing() -> None:
    with pytest.raises(BadRequest, match="'dztotalfilesize', 'dztotalchunkcount' are missing"):
        read_chunk({n: v for n, v in FIRST.items() if "total" not in n})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["", " ", "x", "-1", "+1", "1.5", "1e3", "0x1", "½", "٣", "9" * 20, str(2**63), "1 2", "1\n2"],
)
def test_no_numbers(name: str, value: str) -> None:
    assert name in refused(**{name: value})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dzchunkindex": "3", "dzchunkbyteoffset": "15"}, "there are 3 chunks"),
        ({"dzchunkindex": str(2**62)}, "there are 3 chunks"),
        ({"dzchunkbyteoffset": "1"}, "begins at 0"),
        ({"dzchunkbyteoffset": "5"}, "begins at 0"),
        ({"dzchunkindex": "1"}, "begins at 5"),
        ({"dzchunksize": "0"}, "at least 1"),
        ({"dztotalchunkcount": "0"}, "at least 1"),
        ({"dztotalchunkcount": "0", "dztotalfilesize": "0"}, "at least 1"),
        ({"dzchunksize": str(2**62), "dztotalchunkcount": "2"}, "below 2^63"),
        ({"dztotalchunkcount": str(2**62)}, "below 2^63"),
        ({"dzuuid": ""}, "'dzuuid' is required"),
        ({"dzuuid": "x" * 201}, "'dzuuid' is required"),
    ],
)
def test_what_does_not_agree(fields: dict[str, str], said: str) -> None:
    assert said in refused(**fields)
