"""A short-lived cookie for an upload whose browser had no session cookie when it started.

A browser that starts several uploads at once gets another session cookie with each first answer,
and keeps the one that comes last. So the one that it sends next need not be this upload's, and it
may change in the middle. This cookie is the upload's own. It holds the id, which is the permission.
"""

from __future__ import annotations

from flask import Response, current_app, request

from chunked_upload.http.access import callers

#: Until then all first answers have come, and the session cookie stays the same.
_SECONDS = 3600


class UploadCookie:
    """The cookie of one upload.

    :param key: a hash of the client's name for the upload.
    """

    def __init__(self, key: str) -> None:
        self._name = f"chunked_upload_{key[:16]}"

    @property
    def upload_id(self) -> str | None:
        """What the request's cookie says; None without one."""
        return request.cookies.get(self._name) if callers.has_session() else None

    def set(self, response: Response, upload_id: str) -> None:
        """Give the browser the cookie, in an app that has sessions."""
        if not callers.has_session():
            return
        sessions = current_app.session_interface
        response.set_cookie(
            self._name,
            upload_id,
            max_age=_SECONDS,
            path=request.script_root + request.path,
            httponly=True,
            domain=sessions.get_cookie_domain(current_app),
            secure=sessions.get_cookie_secure(current_app),
            samesite=sessions.get_cookie_samesite(current_app),
        )
