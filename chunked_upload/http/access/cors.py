"""Cross-origin requests (the Fetch standard's CORS protocol) for the origins that are named.

An origin is matched as a whole, never by a pattern, and so its pages may send the session's cookie.

Flask-CORS 6.0.5 (maintained, typed) was tried, with exact origins and every list it takes. It fails
17 of the 47 cases in tests/extension/test_cors.py, in four tests:

- ``test_preflight``: the verbs allowed are one list for all URLs, not those of the URL (``Allow``),
  and ``Vary`` lacks Access-Control-Request-Headers;
- ``test_preflight_names_what_upload_clients_send``: it names only headers that were asked for;
- ``test_other_origins_get_nothing``: an answer to another origin lacks ``Vary: Origin``. A shared
  cache would give that answer to a page that is allowed to read it, which then cannot;
- ``test_views_that_the_app_routes_are_shared_as_well``: it goes by URL patterns, not by endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from flask import Request, Response
from werkzeug.datastructures import HeaderSet

from ..dialect import Dialects

#: What browsers' upload clients send. Others that a page asks for are granted too: its origin is
#: one we were told to trust.
ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "If-Range",
    "Range",
    "X-CSRF-Token",
    "X-CSRFToken",
)

#: What a page may read of an answer, beside the few headers that it always may.
EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Allow",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
)

#: Seconds for which a browser need not ask again: the most that Chromium honours.
_MAX_AGE = 7200

_MAX_ASKED = 50
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")


def share(
    response: Response, request: Request, origins: Collection[str], dialects: Dialects
) -> Response:
    """Let the page that sent a request read its answer, when its origin is one of ``origins``.

    :param dialects: whose clients' headers may be sent and read.
    """
    # Also when there is no Origin: a cache must not give this answer to a page that sends one.
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin not in origins:
        return response
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Expose-Headers"] = ", ".join(
        sorted({*EXPOSED_HEADERS, *dialects.response_headers})
    )
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        _answer_preflight(response, request, dialects)
    return response


def _answer_preflight(response: Response, request: Request, dialects: Dialects) -> None:
    """Tell what the page may do at this URL; ``Allow`` is there already."""
    headers = response.headers
    allowed = sorted({*ALLOWED_HEADERS, *dialects.request_headers})
    response.vary.add("Access-Control-Request-Headers")
    headers["Access-Control-Allow-Methods"] = headers.get("Allow", "")
    headers["Access-Control-Allow-Headers"] = ", ".join([*allowed, *_further(request, allowed)])
    headers["Access-Control-Max-Age"] = str(_MAX_AGE)


def _further(request: Request, allowed: Collection[str]) -> list[str]:
    """Return the headers asked for that are not in the list."""
    known = HeaderSet(allowed)
    asked = request.headers.get("Access-Control-Request-Headers", "").split(",", _MAX_ASKED)
    names = (name.strip() for name in asked[:_MAX_ASKED])
    return [name for name in names if _TOKEN.fullmatch(name) and name not in known]
