"""Structured Fields (RFC 9651): headers that are an item or a dictionary.

A header that cannot be read counts as not sent, where its specification says so. One that was sent
twice reaches WSGI joined by a comma, and is refused: nobody can tell which of the two is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import http_sf
from flask import Request

from chunked_upload.http.errors import BadRequestHeaders

#: Integers have at most 15 digits (RFC 9651 3.3.1).
MAX_INTEGER = 10**15 - 1


def read_boolean(request: Request, name: str) -> bool | None:
    """Return a header's Boolean; None when it is missing or something else.

    :raises BadRequestHeaders: when it was sent twice.
    """
    value = _item(request, name)
    return value if isinstance(value, bool) else None


def read_size(request: Request, name: str) -> int | None:
    """Return a header's non-negative Integer; None when it is missing or something else.

    :raises BadRequestHeaders: when it was sent twice.
    """
    value = _item(request, name)
    return value if type(value) is int and value >= 0 else None


def read_dictionary(request: Request, name: str) -> dict[str, Any]:
    """Return the values of a header's Dictionary by their keys, without parameters.

    :raises BadRequestHeaders: when it is no Dictionary.
    """
    text = request.headers.get(name)
    if text is None:
        return {}
    try:
        members = http_sf.parse(_octets(text), tltype="dictionary")
    except ValueError as error:
        raise BadRequestHeaders(f"{name} is not a Dictionary (RFC 9651): {error}") from error
    return {key: member[0] for key, member in cast("dict[str, Any]", members).items()}


def write_boolean(value: bool) -> str:
    """Return a Boolean as it is written in a header."""
    return "?1" if value else "?0"


def write_dictionary(members: Mapping[str, int | bytes]) -> str:
    """Return Integers and Byte Sequences by their keys as they are written in a header.

    :return: empty for no members: the header must not be sent then (RFC 9651 4.1.2).
    """
    return http_sf.ser({key: (value, {}) for key, value in members.items()}) if members else ""


def _item(request: Request, name: str) -> Any:
    text = request.headers.get(name)
    if text is None:
        return None
    try:
        return cast("tuple[Any, Any]", http_sf.parse(_octets(text), tltype="item"))[0]
    except ValueError as error:
        if "," in text:
            raise BadRequestHeaders(f"{name} was sent more than once: {text[:80]}") from error
        return None


def _octets(text: str) -> bytes:
    """Return a header's bytes, which WSGI has as Latin-1."""
    return text.encode("latin-1", errors="replace")
