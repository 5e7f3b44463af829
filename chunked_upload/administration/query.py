"""Reads the query of the list: filters, sort, page. A refusal says what is allowed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from chunked_upload.http.errors import BadRequest
from chunked_upload.records.filters import UploadFilter
from chunked_upload.records.listing import Place, Sort
from chunked_upload.records.model import Status
from chunked_upload.settings.text import parse_duration, parse_size

#: Rows of a page: by default, and at most.
SIZE, _MOST = 50, 500

#: Characters of a text that is looked for, at most; names and owners have no more.
_LONGEST_WORD = 255

#: What ``status`` may be, as keywords of :class:`UploadFilter`; the last is this module's own.
_STATUSES: dict[str, dict[str, Any]] = {
    "uploading": {"status": Status.UPLOADING},
    "complete": {"status": Status.COMPLETE},
    "expired": {"expired": True},
    "hook-waiting": {},
}

#: Filters that may be empty: for uploads without an owner, or without a storage's name.
_MAY_BE_EMPTY = ("owner", "storage")


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is listed.

    :param upload_set: its name; None for all.
    :param after: by table, the place of the last row of the page before.
    """

    wanted: UploadFilter = field(default_factory=UploadFilter)
    hook_waits: bool = False
    upload_set: str | None = None
    sort: Sort = Sort.NEWEST
    after: Mapping[str, Place] = field(default_factory=dict)
    limit: int = SIZE


def read(arguments: MultiDict[str, str], *, upload_sets: list[str]) -> Query:
    """Return what a URL's parameters ask for.

    :param upload_sets: names of those that there are.
    :raises BadRequest: for a parameter that is none, is there twice, or has another value.
    """
    for name, values in arguments.lists():
        if name not in FILTERS:
            known = ", ".join(sorted(FILTERS))
            raise BadRequest(f"There is no filter {name[:40]!r}; there are: {known}")
        if len(values) > 1:
            raise BadRequest(f"'{name}' is there {len(values)} times; give it once")
    given = arguments.to_dict()
    filters = {name: _parsed(name, given[name]) for name in _PARSERS if name in given}
    status = _choice("status", given.get("status"), list(_STATUSES))
    sort = Sort(_choice("sort", given.get("sort"), [one.value for one in Sort]) or Sort.NEWEST)
    return Query(
        wanted=UploadFilter(**filters, **_STATUSES[status] if status else {}),
        hook_waits=status == "hook-waiting",
        upload_set=_choice("set", given.get("set"), upload_sets),
        sort=sort,
        after=_places(given["after"], sort) if "after" in given else {},
        limit=_limit(given.get("limit", str(SIZE))),
    )


def cursor(places: Mapping[str, Place], sort: Sort) -> str:
    """Return the parameter ``after`` that continues after places."""
    plain = {
        table: [value.isoformat() if isinstance(value, datetime) else value, row]
        for table, (value, row) in places.items()
    }
    text = json.dumps([sort.value, plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _places(text: str, sort: Sort) -> dict[str, Place]:
    try:
        padded = text + "=" * (-len(text) % 4)
        said, plain = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if said != sort.value:
            raise ValueError
        return {
            str(table): (_value(value, sort), _row(row)) for table, (value, row) in plain.items()
        }
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BadRequest(
            "'after' is not the 'next' of a page in this order; begin with the first page"
        ) from error


def _value(value: Any, sort: Sort) -> Any:
    """Return what a row is sorted by, of the kind that the column has."""
    if sort is Sort.NAME:
        if not isinstance(value, str) or "\0" in value:
            raise ValueError
        value.encode()  # no half of a surrogate pair, which JSON can write
        return value
    if sort is Sort.EXPIRES:
        return datetime.fromisoformat(value).astimezone(UTC)
    return _row(value)


def _row(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:  # True is none, for a database
        raise ValueError
    return value


def _parsed(name: str, text: str) -> Any:
    parse, expected = _PARSERS[name]
    if text == "" and name not in _MAY_BE_EMPTY:
        raise BadRequest(f"'{name}' is empty; leave it out, or give {expected}")
    if "\0" in text:
        raise BadRequest(f"'{name}' has a character in it that no value has; give {expected}")
    try:
        return parse(text)
    except ValueError as error:
        raise BadRequest(f"'{name}' is {text[:40]!r}; it must be {expected}") from error


def _word(text: str) -> str:
    """Return a text that a column may have.

    SQLite refuses to search for a very long one.
    """
    if len(text) > _LONGEST_WORD:
        raise ValueError(text)
    return text


def _size(text: str) -> int:
    size = parse_size(text)
    if size >= 2**63:
        raise ValueError(text)
    return size


_PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "owner": (_word, "an owner's id; empty for uploads without an owner"),
    "storage": (_word, "a storage's name, as file or s3; empty for uploads that name none"),
    "search": (_word, "part of a file's name, or the beginning of an id"),
    "older": (parse_duration, "a span of time, as 90m or 7d"),
    "newer": (parse_duration, "a span of time, as 90m or 7d"),
    "larger": (_size, "a number of bytes, as 500K or 10G"),
    "smaller": (_size, "a number of bytes, as 500K or 10G"),
}


#: The meaning of every parameter, by name.
FILTERS = {
    "set": "The name of an upload set.",
    "status": f"One of {', '.join(_STATUSES)}.",
    "sort": f"One of {', '.join(one.value for one in Sort)}.",
    "limit": f"Uploads on a page: {SIZE} if it is not given, at most {_MOST}.",
    "after": "`next` of the page before.",
    **{name: f"{meaning[:1].upper()}{meaning[1:]}." for name, (_, meaning) in _PARSERS.items()},
}


def _choice(name: str, text: str | None, allowed: list[str]) -> str | None:
    if text is not None and text not in allowed:
        raise BadRequest(f"'{name}' is {text[:40]!r}; it must be one of: {', '.join(allowed)}")
    return text


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST:
        raise BadRequest(f"'limit' is {text[:40]!r}; it must be a number from 1 to {_MOST}")
    return int(text[:9])
