"""What pages fetch beside uploads: the package's own scripts and styles, and CSRF tokens."""

from __future__ import annotations

from flask import Response, current_app, request

from chunked_upload.errors import FileNotFound
from chunked_upload.http.access import callers, csrf
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.support.package_data import resource

from .assets import find_asset


class StaticView(ChunkedUploadBaseView):
    """The package's ``static`` folder, for apps whose pages include the library or Dropzone."""

    def get(self, filename: str) -> Response:
        """Send one of the files, compressed; asked again, it is 304 while it has not changed.

        How long browsers may keep it without asking is the app's ``SEND_FILE_MAX_AGE_DEFAULT``, as
        for Flask's own static files: by default they ask each time, so that after an upgrade no
        page mixes old modules with new ones.
        """
        asset = find_asset(resource("static"), filename, plain=current_app.debug)
        if asset is None:
            raise FileNotFound
        compress = request.accept_encodings["gzip"] > 0
        body, etag = asset.encoded(compress=compress)
        response = Response(body, mimetype=asset.mimetype)
        response.set_etag(etag)
        response.vary.add("Accept-Encoding")
        if compress:
            response.headers["Content-Encoding"] = "gzip"
        max_age = current_app.get_send_file_max_age(filename)
        if max_age is None:
            response.cache_control.no_cache = True
        else:
            response.cache_control.max_age = max_age
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.make_conditional(request)
        return response

    head = get


class CsrfTokenView(ChunkedUploadBaseView):
    """A CSRF token for a page that is older than its session, or of another origin."""

    def get(self) -> Response:
        """Answer ``{"csrf_token": …}``; null when none is needed.

        Only pages that may read answers of this origin get to see it, and it is good for nothing
        without the session's cookie.
        """
        token = csrf.new_token() if self.upload_set.checks_csrf else None
        if token and not self.upload_set.login_required:
            callers.ensure_visitor()  # now, so that uploads sent at once are one visitor's
        response = self.reply({"csrf_token": token})
        response.headers["Cache-Control"] = "no-store"
        return response

    head = get
