"""A form field for WTForms whose value is a finished upload (extra ``wtf``).

    class PostForm(FlaskForm):
        title = StringField(validators=[DataRequired()])
        picture = ChunkedFileField("Picture", [FileRequired(), FileAllowed(["jpg", "png"])])

With scripts, the field is an upload zone: the files go in chunks beforehand, and the form sends
their ids. Without scripts, it is a file input whose files come with the form. Both give the same:
while validators run, ``data`` is a ``FileStorage``, so Flask-WTF's validators work. Once the form
is valid, it is the upload's record, claimed (form_submission.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import current_app
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from wtforms import Field
from wtforms.validators import StopValidation

from chunked_upload.engine.errors import (
    NotComplete,
    UploadClaimed,
    UploadError,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http import claims
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.http.uploaded_file import UploadedFile, open_later
from chunked_upload.http.views import given_files
from chunked_upload.records.model import ChunkedUploadMixin, Status
from chunked_upload.records.relationships import from_session
from chunked_upload.records.repository import Record

from . import form_submission
from .template_helpers import TemplateHelpers, find_upload_set
from .zone_options import SPECS

#: What a person reads about an upload that cannot be used. Flask-WTF's translations may have them.
_PROBLEMS: dict[type[UploadError], str] = {
    UploadNotFound: "This upload does not exist; upload the file again.",
    UploadExpired: "This upload has expired; upload the file again.",
    NotComplete: "This upload is not finished; upload the file again.",
    UploadClaimed: "This upload has been used already; upload the file again.",
}

_KEPT = Markup('<li><label><input type="checkbox" name="{}" value="{}" checked> {}</label></li>')
_INPUT = Markup('<noscript><input type="file"{}></noscript>')


class UploadWidget:
    """Renders the field: the uploads that a refused form has kept, the zone, and the file input."""

    def __call__(self, field: ChunkedFileField, **options: Any) -> Markup:
        zone = field.zone | {name: options.pop(name) for name in SPECS.keys() & options.keys()}
        zone |= {"in_form": True, "upload_id_name": field.name}
        zone.setdefault("id", f"{field.id}-zone")
        zone.setdefault("max_files", field.max_files)
        helpers = TemplateHelpers(current_app, current_app.extensions["chunked_upload"])
        attributes = {"name": field.name, "id": field.id, "multiple": field.multiple, **options}
        attributes.setdefault("required", field.flags.required and not field.kept)
        return Markup("").join(
            [
                self._kept(field),
                helpers.dropzone(upload_set=field.upload_set.name, **zone),
                _INPUT.format(_attributes(attributes)),
            ]
        )

    def _kept(self, field: ChunkedFileField) -> Markup:
        """Return a checkbox for each kept upload; unchecking it leaves the upload out."""
        items = [_KEPT.format(field.name, each.upload_id, each.filename) for each in field.kept]
        if not items:
            return Markup("")
        return Markup('<ul class="chunked-upload-kept">{}</ul>').format(Markup("").join(items))


class ChunkedFileField(Field):  # type: ignore[misc]
    """One finished upload.

    The page needs ``{{ chunked_upload.head() }}``, and the form ``enctype="multipart/form-data"``.
    An upload that is submitted is kept when the form is refused for another reason, and shown
    again. If several are submitted, the newest counts.

    :param upload_set: an upload set or its name. It may be left out if the app has only one, or one
        with the default name.
    :param zone: options of the zone, as :class:`~chunked_upload.pages.zone_options.ZoneOptions` has
        them. A template may also give them, and attributes of the file input:
        ``{{ form.picture(thumbnails=False, class_="wide") }}``.
    """

    widget = UploadWidget()
    multiple = False
    data: Any
    errors: Any
    raw_data: Any

    def __init__(
        self,
        label: str | None = None,
        validators: Iterable[Any] | None = None,
        *,
        upload_set: Any = None,
        zone: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(label, validators, **options)
        self.zone = dict(zone or {})
        self._upload_set = getattr(upload_set, "name", upload_set)
        self._files: list[FileStorage] = []
        #: Whether they are the edited object's: nothing was submitted.
        self._of_object = False
        #: Whether the form is valid and the uploads are the app's.
        self.claimed = False
        form_submission.watch(options["_form"])

    @property
    def upload_set(self) -> BoundUploadSet:
        """The upload set in the current app."""
        return find_upload_set(current_app.extensions.get("chunked_upload", {}), self._upload_set)

    @property
    def max_files(self) -> int | None:
        """Most files; None for what a form may have (``CHUNKED_UPLOAD_MAX_FORM_FILES``)."""
        return self.zone.get("max_files") if self.multiple else 1

    @property
    def kept(self) -> list[Record]:
        """The submitted uploads that the form shows again."""
        return [] if self.claimed or self._of_object else self._uploads

    def process_data(self, value: Any) -> None:
        """Take over the uploads that the edited object has; they are the app's already."""
        given = value if isinstance(value, (list, tuple)) else [value]
        self._set([self._file(each) for each in given if isinstance(each, ChunkedUploadMixin)])
        self._of_object = bool(self._files)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take the submitted files and ids; each id must be a finished upload of the caller's.

        :raises ValueError: for one that cannot be used. WTForms makes it the field's error.
        """
        given = [each for each in valuelist if isinstance(each, FileStorage) and each]
        ids = list(dict.fromkeys(each for each in valuelist if isinstance(each, str) and each))
        if not given and not ids:
            self.raw_data = []
            return
        if not self.multiple:
            given, ids = given[-1:], [] if given else ids[-1:]
        self._of_object = False
        most = self.max_files or self.upload_set.settings.max_form_files
        if len(given) + len(ids) > most:
            self._set([])
            raise ValueError(self.gettext("Too many files (at most %s).") % most)
        found, problems = self._find_all(ids)
        self._set([*found, *given])
        if problems:
            raise ValueError(problems[0])

    def pre_validate(self, form: Any) -> None:
        """Stop at what was wrong with the submitted uploads.

        :raises TypeError: in a FieldList, whose form does not know this field.
        """
        if self.short_name not in form:
            raise TypeError(
                f"{type(self).__name__} {self.short_name!r} must be a field of the form itself, not"
                " of a FieldList; MultipleChunkedFileField takes several files"
            )
        if self.process_errors:
            raise StopValidation

    # What the form's submission does with the field

    def store(self) -> bool:
        """Store the files that came with the form; return False when one is refused."""
        files = [file for file in self._files if _upload_of(file) is None]
        for file in files:
            file.stream.seek(0)  # a validator may have read from it
        try:
            stored = iter(given_files.store(self.upload_set, files) if files else [])
        except ChunkedUploadError as error:
            self.refuse(error)
            return False
        self._set([file if _upload_of(file) else self._file(next(stored)) for file in self._files])
        return True

    def claim(self) -> bool:
        """Claim the uploads; return False when one of them has been used meanwhile."""
        if self._of_object:
            return True
        try:
            claims.claim(self.upload_set, self._uploads)
        except ChunkedUploadError as error:
            self._set(self._find_all([upload.upload_id for upload in self._uploads])[0])
            self.refuse(error)
            return False
        return True

    def release(self) -> None:
        """Give the uploads back, so that they can be submitted again."""
        if not self._of_object:
            self.upload_set.engine.release(self._uploads)
            self.claimed = False

    def settle(self) -> None:
        """Make the records the field's data, in the app's own session."""
        session = self.upload_set.db.session
        records = [from_session(record, session) for record in self._uploads]
        self.claimed = True
        self.data = records if self.multiple else next(iter(records), None)

    def refuse(self, error: ChunkedUploadError) -> None:
        """Make an error the field's."""
        self.errors = [*self.errors, self._text(error)]

    def close(self) -> None:
        """Close the files that validators have read."""
        for file in self._files:
            if _upload_of(file) is not None:
                file.close()

    @property
    def _uploads(self) -> list[Record]:
        return [upload for upload in map(_upload_of, self._files) if upload is not None]

    def _set(self, files: list[FileStorage]) -> None:
        self.close()
        self._files = files
        self.data = files if self.multiple else next(iter(files), None)

    def _find_all(self, ids: list[str]) -> tuple[list[FileStorage], list[str]]:
        """Return the uploads that can be used, and what is wrong with the others."""
        found, problems = [], []
        for upload_id in ids:
            try:
                found.append(self._file(self._find(upload_id)))
            except ChunkedUploadError as error:
                problems.append(self._text(error))
        return found, problems

    def _find(self, upload_id: str) -> Record:
        upload_set = self.upload_set
        record: Record = upload_set.upload_view(upload_set).find(upload_id)
        if record.status != Status.COMPLETE:
            upload_set.engine.check_unexpired(record)
            raise NotComplete(record.offset)
        if record.claimed_by is not None:
            raise UploadClaimed
        return record

    def _file(self, record: Record) -> FileStorage:
        return open_later(self.upload_set.engine, record)

    def _text(self, error: ChunkedUploadError) -> str:
        for kind, text in _PROBLEMS.items():
            if isinstance(error, kind):
                return str(self.gettext(text))
        said = self.upload_set.dialects.default.refusal(error)
        return str(said.data.get("detail", said))


class MultipleChunkedFileField(ChunkedFileField):
    """Several finished uploads; ``data`` is a list. ``zone={"max_files": 3}`` limits them."""

    multiple = True


def _upload_of(file: FileStorage) -> Record | None:
    """Return the upload of a file; None for one that came with the form."""
    return file.upload if isinstance(file, UploadedFile) else None


def _attributes(given: dict[str, Any]) -> Markup:
    """Return HTML attributes; a trailing underscore, as in ``class_``, is left out."""
    parts = Markup("")
    for name, value in given.items():
        shown = name.rstrip("_").replace("_", "-")
        if value is True:
            parts += Markup(" {}").format(shown)
        elif value is not None and value is not False:
            parts += Markup(' {}="{}"').format(shown, value)
    return parts
