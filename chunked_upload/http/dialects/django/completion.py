"""The django-chunked-upload protocol, second half: completing an upload with its checksum.

The order of the hooks is django-chunked-upload's: fields, look-up, validate, validity, checksum,
pre_save, save, post_save, on_completion, answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Request, Response, request
from marshmallow import ValidationError

from chunked_upload.engine.errors import AlreadyComplete, ChecksumMismatch
from chunked_upload.http.declared_digests import declared_digests
from chunked_upload.http.errors import BadRequest, FieldsRequired
from chunked_upload.http.schemas import problems
from chunked_upload.http.uploaded_file import UploadedFile
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.http.views.small_body import read_fields
from chunked_upload.http.wire.digests import read_digests
from chunked_upload.http.wire.fields import decisive_fields
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.model import Status
from chunked_upload.records.relationships import copy_changes
from chunked_upload.records.repository import Record
from chunked_upload.storage.powers import LocalPaths


class ChunkedUploadCompleteView(ChunkedUploadBaseView):
    """Completes an upload: checks the checksum, puts the file in its final place, tells the app."""

    takes_fields = True
    #: Whether the client must send a checksum of the file (one that the settings keep), and an MD5
    #: is checked.
    do_md5_check: ClassVar[bool] = True

    @property
    def required_checksums(self) -> tuple[str, ...]:
        """The names of the checksums of which a completion must have one."""
        return self.settings.kept_checksums if self.do_md5_check else ()

    def on_completion(self, uploaded_file: UploadedFile, request: Request) -> None:
        """Handle the finished file (hook). Raising does not undo the completion; see docs."""
        for hook in self.upload_set.hooks.on_completion:
            hook(uploaded_file, request)

    def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
        """Check that the upload has not expired (hook). A complete one may be completed again."""
        self.engine.check_unexpired(chunked_upload)

    def md5_check(self, chunked_upload: Any, md5: str) -> None:
        """Compare the client's MD5 with that of the stored bytes (hook), ignoring case.

        :raises ChecksumMismatch: when they differ.
        """
        self.checksum_check(chunked_upload, "md5", md5)

    def checksum_check(self, chunked_upload: Any, name: str, value: str) -> None:
        """Compare another checksum with that of the stored bytes (hook), ignoring case.

        :raises ChecksumMismatch: when they differ.
        """
        if chunked_upload.checksums.get(name) != value.strip().lower():
            raise ChecksumMismatch(name)

    def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
        """Return the answer to a completion (hook)."""
        state: dict[str, Any] = self.upload_set.describe(chunked_upload)
        return state

    def post(self) -> Response:
        """Complete an upload; a repeated request gets the same answer and runs no hook twice."""
        self.check_permissions(request)
        given = read_fields(self, expected="'upload_id' and 'md5'")
        chosen = self.upload_set.chosen(request.form)
        if chosen is self.upload_set:
            return self.complete(given)
        view: ChunkedUploadCompleteView = chosen.complete_view(chosen)
        view.admit(dict(request.form))
        return view.complete(given)

    def complete(self, given: dict[str, Any]) -> Response:
        """Complete an upload, whose request has been read."""
        fields = self._load(given)
        upload_id, digests = fields["upload_id"], read_digests(fields)
        required = self.required_checksums
        if not upload_id or (required and not digests.keys() & set(required)):
            raise FieldsRequired(checksums=required)
        record = self.upload_to_be = self.find(upload_id)
        self.validate(request)
        self.finish(record, digests)
        self.settle(record)
        response = self.reply(self.get_response_data(record, request))
        return add_progress(response, record)

    def finish(self, record: Record, digests: Mapping[str, str]) -> None:
        """Check the upload and put its file in the final place; for every dialect.

        :param digests: the client's checksums by name, besides those that it declared when it
            created the upload; a dialect may not require any.
        :raises ChecksumMismatch, NotComplete, UploadExpired: the upload stays unchanged.
        """
        self.is_valid_chunked_upload(record)
        expected = dict(digests)
        if record.status != Status.COMPLETE:
            expected = {**declared_digests(record), **expected}
        if not self.do_md5_check:
            expected.pop("md5", None)
        if record.status != Status.COMPLETE:
            self._complete(record, expected)
        else:
            self._check_again(record, expected)

    def settle(self, record: Record) -> None:
        """Remove the part and run the app's hook, once, after the completion is recorded."""
        self.engine.completion.settle(record, lambda: self.notify(record))

    def notify(self, record: Record) -> None:
        """Run ``on_completion`` and send the ``completed`` signal."""
        key = record.path or ""
        storage = self.engine.storage_of(record)
        path = storage.path(key) if isinstance(storage, LocalPaths) else None
        with self.engine.open_file(record) as stream:
            upload = self.upload_set.for_app(record)
            self.on_completion(UploadedFile(stream, path=path, upload=upload), request)
            copy_changes(upload, record)
            self.upload_set.emit("completed", record)

    def _complete(self, record: Record, expected: dict[str, str]) -> None:
        try:
            self._check(record, expected)
            self.commit(self.engine.completion.prepare(record), new=False)
        except AlreadyComplete:  # by another request, right now
            self._check_again(record, expected)

    def _check_again(self, record: Record, expected: dict[str, str]) -> None:
        """Check a complete upload, which may have been completed without these checksums."""
        if expected:
            self._check(record, expected)

    def _check(self, record: Record, expected: dict[str, str]) -> None:
        """Set the upload's checksums on the record, and check those that the client sent."""
        found = self.engine.completion.checksums(record, expected)
        record.checksums = {**record.checksums, **found}
        for name, value in expected.items():
            if name == "md5":
                self.md5_check(record, value)
            else:
                self.checksum_check(record, name, value)

    def _load(self, given: dict[str, Any]) -> dict[str, str]:
        """Check the fields by the upload set's schema.

        :raises FieldsRequired, BadRequest:
        """
        try:
            fields: dict[str, str] = self.upload_set.schemas.complete.load(given)
        except ValidationError as error:
            if error.messages_dict.keys() & decisive_fields():
                raise FieldsRequired(checksums=self.required_checksums) from error
            raise BadRequest(problems(error)) from error
        return fields
