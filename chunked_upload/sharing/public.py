"""A shared file: for everybody who has its link.

No cache keeps the file, since it would go on serving it after the link is revoked. What is wrong
with a link is said on a small page to browsers, and in JSON to everything else.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from flask import Response, render_template_string, request

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.views.files import FileView
from chunked_upload.pages.assets import asset_url
from chunked_upload.pages.upload_page import texts as texts_of_request
from chunked_upload.records.repository import Record
from chunked_upload.support.package_data import resource

from . import links

_NOTICE = Path(__file__).with_name("notice.html")

_NOTICE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)

#: Languages that are written from right to left.
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class LinkRefused(ChunkedUploadError):
    """Base of what is wrong with a link."""

    #: What it is called in ``static/page/notice.js``, which says it in the visitor's language.
    notice: ClassVar[str]
    #: Until when the link worked, if that is known.
    until: datetime | None = None


class LinkInvalid(LinkRefused):
    """404: the address is not one that the upload set has made."""

    notice = "invalid"

    def __init__(self) -> None:
        super().__init__(
            404,
            detail="This link is not valid",
            reason="Part of it may be missing or changed. Copy the whole link again.",
        )


class LinkExpired(LinkRefused):
    """410: the link's time is over."""

    notice = "expired"

    def __init__(self, link: links.Link) -> None:
        super().__init__(
            410,
            detail="This link has expired",
            reason=f"It worked until {link.expires_on:%Y-%m-%d %H:%M} UTC. Ask for a new link.",
        )
        self.until = link.expires_on


class LinkGone(LinkRefused):
    """410: the link was revoked, or there is no file any more."""

    notice = "gone"

    def __init__(self) -> None:
        super().__init__(
            410,
            detail="This link no longer works",
            reason="It was revoked, or the file was deleted. Ask for a new link.",
        )


class SharedFileView(FileView):
    """The completed file of a link."""

    def dispatch_request(self, **kwargs: str) -> Response:
        """Serve the link; what goes wrong is logged with its path, so its signature is cut off."""
        token = kwargs["token"]
        self.request.path = self.request.path.replace(token, f"{token[: links.UNSIGNED]}…")
        return super().dispatch_request(**kwargs)

    def needed_scopes(self) -> tuple[str, ...]:
        return ()

    def get(self, token: str) -> Response:
        """Send the file as an attachment: whole, a range, or 304."""
        record = self._shared(token)
        try:
            response = self.serve(record, inline=False)
        except UploadNotFound as error:  # its bytes are gone
            raise LinkGone from error
        response.headers.update(_HEADERS)
        return response

    head = get

    def public_name(self, record: Record) -> str:
        """Return what names the upload; its id is nobody's business here."""
        return hashlib.sha256(record.upload_id.encode()).hexdigest()[:32]

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Say what is wrong: to a browser on a page, to others in JSON."""
        accepted = request.accept_mimetypes
        if accepted.best_match(["application/json", "text/html"]) == "text/html":
            response = self._notice(error)
        else:
            response = super().refuse(error)
        response.headers.update(_HEADERS)
        response.vary.add("Accept")
        return response

    def _shared(self, token: str) -> Record:
        """Return the upload of a link.

        :raises LinkInvalid, LinkExpired, LinkGone:
        """
        shares = self.engine.records.shares
        try:
            link = links.read(token, self.upload_set)
        except links.BadLink as error:
            raise LinkInvalid from error
        if link.expires_on <= self.engine.now():
            raise LinkExpired(link)
        with translate_failures():
            share = None if shares is None else shares.find(link.share_id)
        if share is None:
            raise LinkGone
        queries = self.engine.records.queries
        visible = queries.visible(self.upload_set.name)
        try:
            return self.engine.find(queries.by_id(visible, share.upload_id))
        except UploadNotFound as error:
            raise LinkGone from error

    def _notice(self, error: ChunkedUploadError) -> Response:
        """Return the page that says what is wrong."""
        texts = texts_of_request(resource("static"), None, self.settings)
        language = Path(texts).stem
        link = error if isinstance(error, LinkRefused) else None
        text = render_template_string(
            _NOTICE.read_text("utf-8"),
            base=asset_url(self.upload_set, ""),
            texts=texts,
            language=language,
            direction="rtl" if language in _RIGHT_TO_LEFT else "ltr",
            notice=link and link.notice,
            until=link and link.until and link.until.isoformat(),
            **error.data,
        )
        response = Response(text, error.status_code, mimetype="text/html")
        response.headers.extend(error.headers)
        response.headers["Content-Security-Policy"] = _NOTICE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
