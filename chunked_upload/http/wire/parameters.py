r"""A header's value and its parameters (RFC 9110 5.6.6), as clients really write them.

Werkzeug takes every backslash for an escape, so that ``filename="C:\Users\me\a.txt"`` loses its
separators, and a name that ends in one loses its quote. Browsers do not escape backslashes; curl
and scripts do. So only ``\"`` and ``\\`` are escapes here, and a header is read in two ways:

1. By the RFC. If the whole header fits, that is what it says.
2. Otherwise by browsers' rule: a quote that ends the header, or that a semicolon follows, ends its
   string, whatever comes before it.

Extended parameters (``filename*``: RFC 8187, RFC 2231) keep the star in their name, since which of
the two counts is for the caller to say. The first of several with one name counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

#: A parameter by the RFC, up to the next semicolon. Nothing is tried twice: headers may be long.
_STRICT = re.compile(
    r';\s*+(?:([^\s;="]++)\s*+=\s*+("(?:[^"\\]++|\\.)*+"|[^;"]*+)\s*+)?+(?=;|$)', re.DOTALL
)

#: The name of one by browsers' rule, and a string in quotes by it.
_NAME = re.compile(r';\s*+([^\s;="]*+)\s*+=\s*+')
_STRING = re.compile(r'"(.*?)"\s*+(?=;|$)', re.DOTALL)

_ESCAPE = re.compile(r'\\(["\\])')

#: A parameter in pieces, ``filename*1*`` (RFC 2231 3).
_PIECE = re.compile(r"(.+)\*(0|[1-9][0-9]{0,2})(\*?)")

#: Charsets of extended parameters: those of RFC 8187 and RFC 5987.
_CHARSETS = {"utf-8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1"}

#: What browsers escape in the names of a form's parts (WHATWG HTML 4.10.21.8), and nothing else:
#: a percent sign in a name is sent as it is.
_FORM_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}


def parse_header(header: str) -> tuple[str, dict[str, str]]:
    """Return a header's value in lower case and its parameters by their names in lower case.

    Media types, dispositions and the names of parameters have no case (RFC 9110 8.3.1, RFC 6266).
    """
    value, _, _ = header.partition(";")
    rest = header[len(value) :]
    found = _strictly(rest)
    pairs = _loosely(rest) if found is None else found
    parameters: dict[str, str] = {}
    for name, text in pairs:
        parameters.setdefault(name.lower(), text)
    return value.strip().lower(), _join_pieces(parameters)


def media_type(environ: Mapping[str, str]) -> str:
    """Return the media type of a request's body in lower case; empty for none."""
    return parse_header(environ.get("CONTENT_TYPE", ""))[0]


def filename_in(parameters: Mapping[str, str]) -> str | None:
    """Return the file name in the parameters of Content-Disposition; None when there is none."""
    return parameters.get("filename*", parameters.get("filename"))


def unescape_form_name(name: str) -> str:
    """Return the name of a form's field or file without the escapes of browsers."""
    return re.sub("%(?:22|0D|0A)", lambda match: _FORM_ESCAPES[match[0]], name)


def _strictly(text: str) -> list[tuple[str, str]] | None:
    """Return the parameters; None when the text does not fit the RFC."""
    found, at = [], 0
    while at < len(text):
        match = _STRICT.match(text, at)
        if match is None:
            return None
        name, value = match.groups()
        if name:
            found.append((name, _unquote(value)))
        at = match.end()
    return found


def _loosely(text: str) -> list[tuple[str, str]]:
    """Return the parameters by browsers' rule, whatever the text."""
    found, at = [], 0
    while at >= 0:
        match = _NAME.match(text, at)
        start = at + 1 if match is None else match.end()
        string = _STRING.match(text, start) if match else None
        stop = text.find(";", start if string is None else string.end())
        if match is not None:
            value = text[start : None if stop < 0 else stop] if string is None else string[0]
            found.append((match[1], _unquote(value.strip())))
        at = stop
    return found


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPE.sub(r"\1", value[1:-1])
    return value.strip().removeprefix('"')


def _join_pieces(given: Mapping[str, str]) -> dict[str, str]:
    """Put parameters together that come in pieces, and decode extended ones.

    One that cannot be decoded is left out, so that its plain form counts (RFC 6266 4.3).
    """
    plain = {name: value for name, value in given.items() if "*" not in name}
    for name, value in given.items():
        if name.endswith("*") and not _PIECE.fullmatch(name):
            decoded = _decode(value)
            if decoded is not None:
                plain[name] = decoded
    for name in {match[1] for match in map(_PIECE.fullmatch, given) if match}:
        joined = _joined(name, given)
        if joined is not None:
            plain.setdefault(f"{name}*", joined)
    return plain


def _joined(name: str, given: Mapping[str, str]) -> str | None:
    """Join the pieces of a parameter from number 0 on; the first says in which charset they are."""
    data, number, charset = b"", 0, "utf-8"
    while True:
        plain, extended = given.get(f"{name}*{number}"), given.get(f"{name}*{number}*")
        if extended is not None:
            if number == 0:
                kind, _, extended = _split(extended)
                if kind not in _CHARSETS:
                    return None
                charset = _CHARSETS[kind]
            data += unquote_to_bytes(extended)
        elif plain is not None:
            data += plain.encode(charset, errors="replace")
        else:
            return data.decode(charset, errors="replace") if number else None
        number += 1


def _decode(value: str) -> str | None:
    """Read ``charset'language'text``; None when it is not that, or not in that charset."""
    kind, language, text = _split(value)
    if kind not in _CHARSETS or language is None:
        return None
    try:
        return unquote_to_bytes(text).decode(_CHARSETS[kind])
    except UnicodeDecodeError:
        return None


def _split(value: str) -> tuple[str, str | None, str]:
    charset, first, rest = value.partition("'")
    language, second, text = rest.partition("'")
    return charset.lower(), language if first and second else None, text
