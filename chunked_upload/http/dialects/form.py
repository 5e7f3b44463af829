"""The plain form of a page without scripts: takes and completes whole files, then redirects.

Flask's upload pattern as an endpoint::

    <form action="{{ url_for('chunked_upload.form') }}" method="post" enctype="multipart/form-data">
      <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
      <input type="file" name="file" multiple>
      <button>Upload</button>
    </form>

The form streams like any other request. Its files are taken all or none: the uploads are completed
once all of them have arrived, and a refusal before that removes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, flash, redirect, request, url_for

from chunked_upload.engine.errors import UploadExpired, UploadNotFound
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest, NoChunkSubmitted, NoFileSelected, UnsupportedBody
from chunked_upload.records.repository import Record

from ..access.callers import has_session
from ..dialect import Dialect, Recognition, Route, register
from ..operation import JSON, MULTIPART, TEXT, Answer, Body, Operation, example_upload, told
from ..schemas import UploadsSchema
from ..upload_set import BoundUploadSet
from ..views import whole_files
from ..views.receiving import ReceivingView
from ..views.receiving_operations import RECEIVING, file_form, uploads_schema
from ..views.resource import ResourceView
from ..wire.digests import read_digests
from ..wire.incoming import Incoming, open_incoming
from ..wire.parameters import media_type

#: Field with the page to go to afterwards.
NEXT_FIELD = "next"

#: A path of this site. Browsers drop control characters and read a backslash as a slash, so
#: ``/\evil.example`` would lead to another site.
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@register
class FormDialect(Dialect):
    """A page's plain form, at a URL of its own."""

    name = "form"
    title = "Plain forms"
    recognised_by = Recognition.FIELDS

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the form's route."""
        return (Route("/form", "form", {"POST": FormView}, operations=_operations),)


class FormView(ResourceView):
    """Takes a browser's form with one file or several.

    It uses the rules and hooks of the upload set's chunk view, then those of its complete view.
    """

    takes_fields = True
    rules: ReceivingView

    def __init__(
        self, upload_set: BoundUploadSet | None = None, dialect: Dialect | None = None
    ) -> None:
        super().__init__(upload_set, dialect)
        #: Where a browser goes after success, as far as it is known.
        self.target: str | None = None

    def post(self) -> Response:
        """Store and complete the form's files; the answer is a redirect, or their states."""
        self.target = self._configured_target()
        self.check_permissions(request)
        incoming = self._open()
        chosen = self.upload_set.chosen(incoming.fields)
        if chosen is self.upload_set:
            return self.take(incoming)
        view = FormView(chosen, self.dialect)
        view.target = self.target
        view.admit(incoming.fields)
        return view.take(incoming)

    def take(self, incoming: Incoming) -> Response:
        """Store and complete the files of a form whose first fields have been read."""
        if self.settings.set_field is not None:
            incoming.fields.pop(self.settings.set_field, None)
        self.rules.chunk_fields = self.rules.load_fields(incoming)
        self.rules.upload_to_be = self.rules.describe_incoming(incoming, length=None)
        self.rules.validate(request)
        with whole_files.all_or_none(self) as records:
            whole_files.take_files(self.rules, incoming, records)
            whole_files.complete(self.rules, records, read_digests(incoming.fields))
        if not self._redirects or not _wants_page():
            uploads = [self.upload_set.describe(record) for record in records]
            return self.reply(UploadsSchema().dump({"uploads": uploads}))
        target = self.target or self._computed_target(records)
        self._flash(_success_message(records), "success")
        return redirect(target, 303)  # type: ignore[return-value]

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Send a browser back to its page with a flashed message, where that is configured."""
        back = _same_site_referrer() or self.target
        if not self._redirects or back is None or not _wants_page():
            return super().refuse(error)
        if not self._flash(str(error.data.get("detail", error)), "error"):
            return super().refuse(error)
        return redirect(back, 303)  # type: ignore[return-value]

    def _open(self) -> Incoming:
        mimetype = media_type(request.environ)
        if mimetype == "application/x-www-form-urlencoded":
            raise ChunkedUploadError(
                400, detail="No file part", reason='the form lacks enctype="multipart/form-data"'
            )
        if mimetype != "multipart/form-data":
            raise UnsupportedBody(f"{mimetype or 'No type'} is not supported; send a form")
        limits = self.rules.form_limits(max_files=self.settings.max_form_files)
        try:
            incoming = open_incoming(request, limits)
        except NoChunkSubmitted as error:
            self.take_fields(error.fields)
            if isinstance(error, NoFileSelected):
                raise BadRequest("No selected file") from error
            reason = error.data["reason"]
            raise ChunkedUploadError(400, detail="No file part", reason=reason) from error
        self.take_fields(incoming.fields)
        return incoming

    def take_fields(self, fields: dict[str, str]) -> None:
        """Read the page to go to first, so that a refusal also redirects there."""
        wanted = fields.pop(NEXT_FIELD, "")
        if wanted and not LOCAL_PATH.fullmatch(wanted):
            raise BadRequest("'next' must be a path of this site, as /documents")
        self.target = wanted or self.target
        super().take_fields(fields)

    # What follows

    @property
    def _redirects(self) -> bool:
        """Whether a browser goes to a page afterwards."""
        return self.target is not None or callable(self.settings.form_redirect)

    def _configured_target(self) -> str | None:
        """Return the page to go to, as far as it is known before the files are."""
        target = self.settings.form_redirect
        return None if target is None or callable(target) else _url(target)

    def _computed_target(self, records: list[Record]) -> str:
        """Return the page to go to that the app computes from the completed uploads.

        :raises TypeError: when its function returns no text; the uploads stay.
        """
        function = self.settings.form_redirect
        target = function([self.upload_set.for_app(record) for record in records])
        if not isinstance(target, str) or not target:
            raise TypeError(
                f"CHUNKED_UPLOAD_FORM_REDIRECT returned {target!r}; expected an endpoint, a path"
                " or a URL"
            )
        return _url(target)

    def _flash(self, message: str, category: str) -> bool:
        """Flash a message; return False when that is off, or the app has no sessions."""
        if not self.settings.form_flash or not has_session():
            return False
        flash(message, category)
        return True


def _url(target: str) -> str:
    """Return the URL of an endpoint; return a path or URL unchanged."""
    return target if "/" in target else url_for(target)


def _wants_page() -> bool:
    """Return whether a browser navigates here; scripts and curl accept JSON, or anything."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def _same_site_referrer() -> str | None:
    """Return the page of this site that contains the form."""
    page, here = urlsplit(request.referrer or ""), urlsplit(request.host_url)
    if (page.scheme, page.netloc) != (here.scheme, here.netloc):
        return None
    path = f"{page.path or '/'}?{page.query}" if page.query else page.path or "/"
    return path if LOCAL_PATH.fullmatch(path) else None


def _success_message(records: list[Record]) -> str:
    if len(records) == 1:
        return f"{records[0].filename} uploaded"
    return f"{len(records)} files uploaded"


def _operations(upload_set: Any) -> Iterable[Operation]:
    completed = {"uploads": [example_upload(complete=True)]}
    fields = {"next": {"description": "Path to go to afterwards; before the file."}}
    yield Operation(
        verb="POST",
        name="send_form",
        title="Send a page's form without scripts",
        topic="Whole files",
        text="Whole files, complete on the last byte, all or none. A browser is redirected if the"
        " form has `next`, or the server is configured so.",
        bodies={MULTIPART: Body(schema=file_form(upload_set, fields=fields))},
        body_required=True,
        answers={
            200: Answer(
                meaning="The files are complete.",
                bodies={
                    JSON: Body(schema=uploads_schema(upload_set), examples={"one file": completed})
                },
            ),
            303: Answer(
                meaning="A browser goes to the next page.",
                headers={"Location": told("That page.", TEXT)},
            ),
        },
        refusals=(
            ChunkedUploadError(
                400, detail="No file part", reason='the form lacks enctype="multipart/form-data"'
            ),
            BadRequest("No selected file"),
            *(
                error
                for error in RECEIVING
                if not isinstance(error, (UploadNotFound, UploadExpired))
            ),
        ),
    )
