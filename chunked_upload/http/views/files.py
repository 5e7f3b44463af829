"""Finished files, by id for download and by name for pages, as Flask-Uploads serves them.

A stranger uploaded the file, so browsers never run it: the type follows from the name, ``nosniff``
holds browsers to it, and a sandbox takes the rights of the site away. What is not in
``inline_types`` is only downloaded.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, BinaryIO
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.utils import redirect, send_file

from chunked_upload.engine.errors import NotComplete, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access.tokens import READ
from chunked_upload.http.errors import FileNotFound, RangeNotSatisfiable
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.storage.powers import LocalPaths, PresignsURLs
from chunked_upload.support import media_types
from chunked_upload.support.filenames import portable_filename

from ..operation import describe
from ..upload_set import NAMED_FILE, BoundUploadSet
from ..wire.linger import linger
from .base import VERBS
from .resource import ResourceView
from .resource_operations import named_file_operations

#: A document of its own with no rights, which may show itself and nothing else.
_DOWNLOAD_POLICY = "sandbox; default-src 'none'"
_INLINE_POLICY = (
    "{sandbox}; default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self';"
    " style-src 'unsafe-inline'"
)

#: Browsers play these within a page that they make around the file. Without an origin it could not
#: load the file; scripts do not run in it either.
_PLAYED = ("audio/", "video/")


class FileView(ResourceView):
    """Base of the views that send a finished file."""

    def needed_scopes(self) -> tuple[str, ...]:
        return () if self.settings.public_files else (READ,)

    def check_reader(self) -> None:
        """Check that the caller may read files, before any is looked for."""
        if not self.settings.public_files:
            self.check_permissions(request)

    def public_name(self, record: Record) -> str:
        """Return what names the upload to this caller, where the file has no name of its own."""
        return record.upload_id

    def serve(self, record: Record, *, inline: bool) -> Response:
        """Send a file: whole, a range, or 304 (RFC 9110 13 and 14).

        :param inline: browsers may show it, if its type is one of ``inline_types``.
        """
        if record.status != Status.COMPLETE or record.path is None:
            raise NotComplete(record.offset)
        kind = media_types.media_type(record.path)
        storage, holds = self.engine.storage_of(record), self.settings.redirect_files
        told = self.public_name(record) == record.upload_id  # the URL tells the upload's id
        if holds is not None and told and not inline and isinstance(storage, PresignsURLs):
            return self._redirect(record, storage, holds)
        inline = inline and media_types.is_among(kind, self.settings.inline_types)
        _drop_long_suffix(record.offset)
        try:
            response = self._send(record, kind if inline else None)
        except FileNotFoundError as error:
            if self.engine.has_moved(record):
                return self.serve(record, inline=inline)
            raise UploadNotFound from error
        except RequestedRangeNotSatisfiable as error:
            raise RangeNotSatisfiable(record.offset) from error
        public = self.settings.public_files
        response.headers["Cache-Control"] = "public, no-cache" if public else "private, no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = _policy(kind) if inline else _DOWNLOAD_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = (
            "cross-origin" if public else "same-origin"
        )
        return response

    def _redirect(self, record: Record, storage: PresignsURLs, holds: timedelta) -> Response:
        """Send the client to the storage."""
        name = portable_filename(record.filename, fallback=record.upload_id)
        with translate_failures():
            url = storage.presigned_url(record.path or "", filename=name, expires_in=holds)
        response: Any = redirect(url, 302, current_app.response_class)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response  # type: ignore[no-any-return]

    def _send(self, record: Record, inline_type: str | None) -> Response:
        key, storage = record.path or "", self.engine.storage_of(record)
        content: str | BinaryIO | None = None
        if isinstance(storage, LocalPaths):
            # Unlike what follows, the storage does not go through a link put in the file's place.
            with translate_failures(), suppress(FileNotFoundError):
                storage.open(key).close()
            content = storage.path(key)
        else:
            with translate_failures(), suppress(FileNotFoundError):
                content = storage.open(key)  # the response closes it
            if content is None:
                raise FileNotFoundError(key)
        by_front = isinstance(content, str) and self._front_sends
        options: dict[str, Any] = {
            "environ": request.environ,
            "mimetype": inline_type or media_types.UNKNOWN,
            "as_attachment": inline_type is None,
            "download_name": portable_filename(record.filename, fallback=self.public_name(record)),
            "response_class": current_app.response_class,
        }
        if by_front:  # which sends ranges and 304, with its own ETag
            sent = send_file(content, etag=False, use_x_sendfile=True, conditional=False, **options)
            return self._handed_over(sent, key)
        sent = send_file(
            content,
            conditional=isinstance(content, str),
            etag=record.md5 or self.public_name(record),
            last_modified=record.completed_on,
            max_age=0,
            **options,
        )
        if not isinstance(content, str):  # whose length is not visible
            sent.content_length = record.offset
            sent.make_conditional(request, accept_ranges=True, complete_length=record.offset)
        return sent  # type: ignore[return-value]

    @property
    def _front_sends(self) -> bool:
        """Whether the server in front of the app sends the file."""
        settings = self.settings
        by_flask = bool(current_app.config["USE_X_SENDFILE"])
        return settings.x_accel_redirect is not None or settings.x_sendfile or by_flask

    def _handed_over(self, response: Any, key: str) -> Response:
        """Return the answer that has the front server send the file.

        All of them decode the name, and a header cannot hold every character of it.
        """
        del response.headers["Last-Modified"]
        path = response.headers.pop("X-Sendfile")
        prefix = self.settings.x_accel_redirect
        if prefix is not None:
            response.headers["X-Accel-Redirect"] = quote(f"{prefix.rstrip('/')}/{key}")
        else:
            response.headers["X-Sendfile"] = quote(path)
        handed: Response = response
        return handed


class UploadFileView(FileView):
    """The finished file by the upload's id, for download."""

    def get(self, upload_id: str) -> Response:
        """Send the file as an attachment."""
        self.check_reader()
        if self.settings.public_files:
            found = self.engine.records.queries.visible(self.upload_set.name)
            record = self.engine.find(self.engine.records.queries.by_id(found, upload_id))
        else:
            record = self.find(upload_id)
        return self.serve(record, inline=False)

    head = get


class NamedFileView(FileView):
    """The finished file by its name in the upload set's place, for pages."""

    def get(self, filename: str) -> Response:
        """Send the file; browsers may show it."""
        self.check_reader()
        queries = self.engine.records.queries
        public = self.settings.public_files
        # A name can be guessed, unlike an id: knowing it is no permission.
        readable = queries.visible(self.upload_set.name) if public else self.own()
        if readable is None:
            raise UploadNotFound
        return self.serve(self.engine.find(queries.by_path(readable, filename)), inline=True)

    head = get


def add_named_files(app: Flask) -> None:
    """Add ``/_uploads/<set>/<path:filename>`` to an app, for all of its upload sets.

    Path and endpoint are those of Flask-Uploads.
    """
    app.add_url_rule(
        "/_uploads/<setname>/<path:filename>",
        NAMED_FILE,
        _named_file,
        methods=VERBS,
        provide_automatic_options=False,
    )
    describe(app, "/_uploads/<setname>/<path:filename>", named_file_operations)


def _named_file(setname: str, filename: str) -> Any:
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    if setname in upload_sets:
        return NamedFileView(upload_sets[setname]).dispatch_request(filename=filename)
    upload_set = next(iter(upload_sets.values()))
    return linger(upload_set.dialects.default.render(upload_set.settings, FileNotFound()), request)


def _policy(kind: str) -> str:
    """Return the policy of a file that browsers show, by its media type."""
    sandbox = "sandbox allow-same-origin" if kind.startswith(_PLAYED) else "sandbox"
    return _INLINE_POLICY.format(sandbox=sandbox)


def _drop_long_suffix(length: int) -> None:
    """Serve the whole file for a suffix range longer than it (RFC 9110 14.1.2).

    Werkzeug answers 416 there, and readers of archives ask for the last 64 KiB of anything.
    """
    asked = request.range
    if asked is not None and len(asked.ranges) == 1 and asked.ranges[0][0] < -length:
        request.environ.pop("HTTP_RANGE", None)
