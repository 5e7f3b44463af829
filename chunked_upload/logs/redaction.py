"""Takes out of a log's text what nobody who reads it should be able to use."""

from __future__ import annotations

import re

_HIDDEN = "…"

#: Credentials by their shape: bearer and basic, our own tokens, secrets of webhooks, cookies; the
#: signature of a shared link; and the query of an address, where apps and clients put tokens.
_SECRETS = re.compile(
    r"(?i:(?<=bearer )|(?<=basic )|(?<=cookie: )|(?<=authorization: ))[^\s\"',]+(?: [^\s\"',]{8,})?"
    r"|(?<=chup_)[\w-]+"
    r"|(?<=chut_)[\w.-]+"
    r"|(?<=whsec_)[\w+/=-]+"
    r"|(?<=/shared/)(?P<link>[^/\s\"']{0,33})[^/\s\"']*"
    r"|(?<=\?)[^\s\"'<>]*=[^\s\"'<>]*"
)


def redacted(text: str) -> str:
    """Return a line without secrets."""
    return _SECRETS.sub(lambda found: (found["link"] or "") + _HIDDEN, text)
