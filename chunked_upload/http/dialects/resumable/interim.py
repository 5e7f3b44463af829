"""Interim responses 104 (Upload Resumption Supported), section 5 of the draft."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Request

from chunked_upload.http.wire.interim import send_interim

from .versions import INTEROP_HEADER, served_version

_STATUS, _REASON = 104, "Upload Resumption Supported"

#: What proxies add to a request. Some take the first response for the only one: nginx 1.22 sends a
#: 104 on as the answer, with what follows as its body, which breaks HTTP/2 and kept connections.
_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP")


def announce(request: Request, headers: Mapping[str, str], *, wanted: bool | None) -> bool:
    """Send an interim response, if the client speaks a version that is served.

    :param wanted: the setting; None for unless the request has come through a proxy.
    :return: whether it was sent.
    """
    version = served_version(request)
    if wanted is None:
        wanted = not any(name in request.headers for name in _OF_PROXIES)
    if version is None or not wanted:
        return False
    told = {INTEROP_HEADER: str(version.number), **headers}
    return send_interim(request.environ, _STATUS, _REASON, told)
