"""Takes out of a text for operators what nobody who reads it should be able to use.

Logs, the journal of failures and the problems of events are such texts.
"""

from __future__ import annotations

import re

_HIDDEN = "…"

#: Credentials by their shape: headers that hold them, also as Python writes a dict of headers;
#: bearer and basic, our own tokens, secrets of webhooks; the user part of an address; the signature
#: of a shared link; and the query of an address, where apps and clients put tokens.
_SECRETS = re.compile(
    r"(?P<header>(?i:\b(?:authorization|cookie|x-api-key|x-csrf-?token|password)['\"]?\s*[:=]\s*"
    r"(?:b?['\"])?))(?:(?i:digest )[^\r\n]+|[^\r\n'\"]+)"
    r"|(?P<scheme>(?i:\b(?:bearer|basic) ))[^\s\"',]+"
    r"|(?<=chup_)[\w-]+"
    r"|(?<=chut_)[\w.-]+"
    r"|(?<=whsec_)[\w+/=-]+"
    r"|(?<=://)[^\s/@\"']*:[^\s/@\"']*(?=@)"
    r"|(?<=/shared/)(?P<link>[^/\s\"']{0,33})[^/\s\"']*"
    r"|(?<=\?)[^\s\"'<>=?]*=[^\s\"'<>]*"
)

#: What is shown of a credential: the beginning that says what it is.
_KEPT = ("header", "scheme", "link")


def redacted(text: str) -> str:
    """Return a line without secrets."""
    return _SECRETS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    return next(filter(None, map(found.group, _KEPT)), "") + _HIDDEN


def storable(text: str, most: int) -> str:
    """Return a text without secrets that every database takes.

    PostgreSQL takes no NUL, and no driver takes half of a surrogate pair. Error messages have them
    where a path or a client's header is no UTF-8.

    :param most: characters of the column; what is longer is cut.
    """
    shown = redacted(text).encode(errors="backslashreplace").decode()
    return shown.replace("\0", "\\x00")[:most]
