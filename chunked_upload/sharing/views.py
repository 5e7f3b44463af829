"""An upload's links as resources: its owner makes, lists and revokes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, request
from marshmallow import Schema, ValidationError, fields

from chunked_upload.engine.errors import LimitReached, NotComplete
from chunked_upload.engine.failures import translate_failures
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access.tokens import READ
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.schemas import RequestSchema, Timestamp, WholeNumber, problems
from chunked_upload.http.views.resource import ResourceView
from chunked_upload.http.views.small_body import read_fields
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.records.shares import ShareMixin, Shares, TooManyShares

from . import links

#: Links that an upload may have at a time.
_MOST = 100


class SharingOff(ChunkedUploadError):
    """404: the upload set shares no files."""

    def __init__(self) -> None:
        super().__init__(
            404,
            detail="Sharing is switched off",
            reason="the administrator can switch it on with CHUNKED_UPLOAD_SHARE",
        )


class ShareNotFound(ChunkedUploadError):
    """404: the upload has no such link."""

    def __init__(self) -> None:
        super().__init__(
            404, detail="Link not found", reason="it has been revoked, or it has expired"
        )


class NewShareSchema(RequestSchema):
    """The wish for a link: for how many seconds."""

    max_age = WholeNumber(load_default=None)


class ShareSchema(Schema):
    """A link.

    :param upload_set: that serves it.
    """

    share_id = fields.String(required=True)
    url = fields.Method("get_url", required=True, metadata={"type": "string", "format": "uri"})
    created_on = Timestamp(required=True)
    expires = Timestamp(required=True, attribute="expires_on")

    def __init__(self, *, upload_set: Any = None) -> None:
        self._upload_set = upload_set
        super().__init__()

    def get_url(self, share: ShareMixin) -> str:
        """Return the address that people pass on."""
        token = links.token_of(share, self._upload_set)
        url: str = self._upload_set.url("shared", token=token, _external=True)
        return url


class _ShareView(ResourceView):
    """Base of the views for an upload's owner."""

    def needed_scopes(self) -> tuple[str, ...]:
        return (READ,)

    @property
    def shares(self) -> Shares:
        """The links of this upload set.

        :raises SharingOff:
        """
        found = self.engine.records.shares
        if found is None:
            raise SharingOff
        return found

    def owned(self, upload_id: str) -> Record:
        """Return the caller's completed upload.

        :raises UploadNotFound: also when it is another's.
        :raises NotComplete: when there is no file to share yet.
        """
        record = self.find(upload_id)
        if record.status != Status.COMPLETE:
            raise NotComplete(record.offset)
        return record

    def dump(self, share: ShareMixin) -> dict[str, Any]:
        """Return a link as answers write it."""
        written: dict[str, Any] = ShareSchema(upload_set=self.upload_set).dump(share)
        return written

    def answer(self, content: Any, status: int = 200) -> Response:
        """Answer in JSON that no cache keeps."""
        response = self.reply(content, status)
        response.headers["Cache-Control"] = "no-store"
        return response


class SharesView(_ShareView):
    """The links to an upload's file."""

    takes_fields = True

    def get(self, upload_id: str) -> Response:
        """List the links that work, the newest first."""
        self.check_permissions(request)
        record, shares = self.owned(upload_id), self.shares
        with translate_failures():
            found = shares.of(record.upload_id, now=self.engine.now())
        return self.answer({"shares": [self.dump(share) for share in found]})

    head = get

    def post(self, upload_id: str) -> Response:
        """Make a link, for ``max_age`` seconds or as long as the settings allow."""
        self.check_permissions(request)
        age, now = self._age(), self.engine.now().replace(microsecond=0)
        record, shares = self.owned(upload_id), self.shares
        try:
            with translate_failures():
                share = shares.add(record.upload_id, now=now, expires_on=now + age, most=_MOST)
        except TooManyShares as error:
            raise LimitReached(
                f"This upload has {_MOST} links, which is the most; revoke one first"
            ) from error
        return self.answer(self.dump(share), 201)

    def _age(self) -> timedelta:
        """Return how long the new link is to work.

        :raises BadRequest: for a time that the settings do not allow.
        """
        given = read_fields(self, expected="'max_age', a number of seconds")
        try:
            wanted: int | None = NewShareSchema().load(given)["max_age"]
        except ValidationError as error:
            raise BadRequest(problems(error)) from error
        longest = self.settings.share_max_age
        if wanted is None:
            return longest
        most = int(longest.total_seconds())
        if not 1 <= wanted <= most:
            raise BadRequest(f"'max_age' must be from 1 to {most} seconds, not {wanted}")
        return timedelta(seconds=wanted)


class ShareView(_ShareView):
    """One link."""

    def delete(self, upload_id: str, share_id: str) -> Response:
        """Revoke it: from now on its address is 410."""
        self.check_permissions(request)
        record, shares = self.owned(upload_id), self.shares
        with translate_failures():
            revoked = shares.revoke(share_id, upload_id=record.upload_id)
        if not revoked:
            raise ShareNotFound
        return Response(status=204)
