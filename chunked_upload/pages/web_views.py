"""The views that pages need besides uploads: the package's scripts and styles, and CSRF tokens."""

from __future__ import annotations

from flask import Response, send_file

from chunked_upload.http.access import callers, csrf
from chunked_upload.http.dialect import Route
from chunked_upload.http.errors import FileNotFound
from chunked_upload.http.schemas import CsrfTokenSchema
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.settings.page import LOGO_TYPES, logo_file

from . import web_operations
from .assets import send_asset

_PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


class _OpenView(ChunkedUploadBaseView):
    """Base of views for everybody."""

    def needed_scopes(self) -> tuple[str, ...]:
        return ()


class StaticView(_OpenView):
    """The package's ``static`` folder, for apps whose pages include the library or Dropzone."""

    def get(self, filename: str) -> Response:
        """Send a file, or 304 if the browser already has it.

        The app's ``SEND_FILE_MAX_AGE_DEFAULT`` says how long browsers may keep it without asking,
        as for Flask's own static files. By default they ask each time, so that after an upgrade no
        page mixes old modules with new ones.
        """
        return send_asset(filename)

    head = get


class LogoView(_OpenView):
    """The page's logo, where the settings name a file of this host."""

    def get(self) -> Response:
        """Send the picture. An SVG that is opened by itself runs no scripts."""
        logo = self.settings.page_logo
        file = None if logo is None else logo_file(logo)
        if file is None or not file.is_file():
            raise FileNotFound
        response = send_file(file, mimetype=LOGO_TYPES[file.suffix.lower()])
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = _PICTURE_POLICY
        return response

    head = get


class CsrfTokenView(_OpenView):
    """A CSRF token for a page that is older than its session, or comes from another origin."""

    def get(self) -> Response:
        """Answer ``{"csrf_token": …}``; null when none is needed.

        Only pages that may read answers of this origin can see the token, and it works only with
        the session's cookie.
        """
        token = None
        if self.upload_set.checks_csrf and callers.has_session():
            token = csrf.new_token()
        if token and not self.upload_set.login_required:
            callers.ensure_visitor()  # now, so that uploads sent at once are one visitor's
        response = self.reply(CsrfTokenSchema().dump({"csrf_token": token}))
        response.headers["Cache-Control"] = "no-store"
        return response

    head = get


#: The routes of these views.
ROUTES = (
    Route(
        "/static/<path:filename>",
        "static",
        {"GET": StaticView},
        operations=web_operations.static_operations,
    ),
    Route(
        "/static/page/logo",
        "logo",
        {"GET": LogoView},
        operations=web_operations.logo_operations,
    ),
    Route(
        "/csrf-token",
        "csrf_token",
        {"GET": CsrfTokenView},
        operations=web_operations.csrf_operations,
    ),
)
