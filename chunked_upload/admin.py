"""The admin's list of uploads: a view for Flask-Admin (the extra ``admin``).

::

    from flask_admin import Admin
    from chunked_upload.admin import ChunkedUploadAdmin

    admin = Admin(app)
    with app.app_context():
        admin.add_view(ChunkedUploadAdmin(uploads.model, uploads.db, name="Uploads"))

Who may see it is the app's decision, as for every view of Flask-Admin: override ``is_accessible``.

Records can be looked at and deleted, not made or edited: an offset or a status that somebody types
in would be one that the stored bytes do not have. Deletions go through the engine.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import current_app, flash

try:
    from flask_admin.actions import action
    from flask_admin.contrib.sqla import ModelView
    from flask_admin.contrib.sqla.filters import (
        BaseSQLAFilter,
        DateTimeGreaterFilter,
        DateTimeSmallerFilter,
        FilterEmpty,
        FilterEqual,
    )
    from flask_admin.form import SecureForm
    from flask_admin.model.filters import BaseBooleanFilter
except ImportError as error:
    raise ImportError(
        "chunked_upload.admin needs Flask-Admin; install chunked-upload[admin]"
    ) from error

from .engine.errors import AlreadyComplete, UploadNotFound
from .errors import ChunkedUploadError
from .http.upload_set import BoundUploadSet
from .maintenance import actions
from .records.filters import is_expired
from .records.model import Status
from .records.repository import Record
from .support.clock import utcnow
from .support.plural import counted, were

logger = logging.getLogger(__name__)

_STATUSES = [("1", "Uploading"), ("2", "Complete")]


class StatusFilter(FilterEqual):  # type: ignore[misc]
    """Unfinished or complete."""

    def clean(self, value: str) -> int:
        """Return the number of the status; PostgreSQL compares it with no text."""
        return int(value)


class ExpiredFilter(BaseSQLAFilter, BaseBooleanFilter):  # type: ignore[misc]
    """Unfinished uploads past their time, or all others."""

    def __init__(self, model: Any) -> None:
        super().__init__(model.expires_on, "Expired")
        self._model = model

    def apply(self, query: Any, value: str, alias: Any = None) -> Any:
        """Narrow the query."""
        expired = is_expired(self._model, utcnow())
        return query.filter(expired if value == "1" else ~expired)

    def operation(self) -> str:
        """Return the word between the filter's name and its value."""
        return "is"


class _InUTC:
    """Reads a filter's time as UTC, in which the list shows times."""

    def clean(self, value: str) -> datetime:
        moment: datetime = super().clean(value)  # type: ignore[misc]
        return moment.replace(tzinfo=UTC)


class AfterFilter(_InUTC, DateTimeGreaterFilter):  # type: ignore[misc]
    """Later than a time, in UTC."""


class BeforeFilter(_InUTC, DateTimeSmallerFilter):  # type: ignore[misc]
    """Earlier than a time, in UTC."""


class ChunkedUploadAdmin(ModelView):  # type: ignore[misc]
    """Lists a model's uploads: search, filters, details, deletion.

    The arguments are those of Flask-Admin's ``ModelView``: the model, the Flask-SQLAlchemy object,
    and the view's ``name``, ``endpoint`` and so on.
    """

    can_create = False
    can_edit = False
    can_view_details = True
    #: Addresses of filtered lists say what is filtered, and may be kept.
    named_filter_urls = True
    #: A token against requests of other sites. With Flask-WTF's CSRFProtect: ``FlaskForm``.
    form_base_class = SecureForm

    column_list = (
        "upload_id",
        "filename",
        "status",
        "offset",
        "length",
        "owner",
        "upload_set",
        "created_on",
        "expires_on",
    )
    column_details_list = (
        *column_list,
        "completed_on",
        "notified_on",
        "path",
        "checksums",
        "extra_fields",
    )
    column_labels = {"offset": "Received", "upload_id": "Upload ID"}  # noqa: RUF012
    column_searchable_list = ("filename", "upload_id")
    column_sortable_list = ("filename", "status", "offset", "length", "owner", "created_on")
    column_default_sort = ("id", True)
    column_formatters = {  # noqa: RUF012
        "status": lambda view, context, upload, name: Status(upload.status).name.capitalize(),
        "expires_on": lambda view, context, upload, name: _expiry(upload),
    }

    column_filters: Any = None

    def __init__(self, model: Any, db: Any, *args: Any, **kwargs: Any) -> None:
        if self.column_filters is None:
            self.column_filters = [
                StatusFilter(model.status, "Status", options=_STATUSES),
                ExpiredFilter(model),
                FilterEqual(model.owner, "Owner"),
                FilterEmpty(model.owner, "Owner"),
                FilterEqual(model.upload_set, "Upload set"),
                AfterFilter(model.created_on, "Created"),
                BeforeFilter(model.created_on, "Created"),
                AfterFilter(model.expires_on, "Expires"),
                BeforeFilter(model.expires_on, "Expires"),
            ]
        super().__init__(model, db, *args, **kwargs)

    def scaffold_form(self) -> Any:
        """Return a form without fields, since nothing can be edited."""
        return self.form_base_class

    def get_query(self) -> Any:
        """Select the uploads that are not being removed."""
        return super().get_query().filter(self.model.status != int(Status.DELETING))

    def get_count_query(self) -> Any:
        """Count the same uploads."""
        return super().get_count_query().filter(self.model.status != int(Status.DELETING))

    def get_one(self, id: Any) -> Any:  # noqa: A002
        """Return one of them; None when there is none."""
        if not re.fullmatch("[0-9]{1,18}", str(id)):
            return None  # a database would fail, not find nothing
        upload = super().get_one(id)
        return None if upload is None or upload.status == Status.DELETING else upload

    def delete_model(self, model: Any) -> bool:
        """Delete an upload with its bytes, through the engine; return whether it is gone."""
        return self._carry_out(model, "deleted", actions.delete)

    @action("delete", "Delete", "Delete these uploads with their bytes?")  # type: ignore[untyped-decorator]
    def action_delete(self, ids: list[str]) -> None:
        """Delete uploads, one by one."""
        super().action_delete(_keys(ids))

    @action("expire", "Expire", "The clients of these uploads will get 410. Expire them?")  # type: ignore[untyped-decorator]
    def action_expire(self, ids: list[str]) -> None:
        """Have unfinished uploads expire now."""
        uploads = self.get_query().filter(self.model.id.in_(_keys(ids))).all()
        expired = sum(self._carry_out(upload, "expired", actions.expire) for upload in uploads)
        flash(f"{counted(expired, 'upload')} {were(expired)} expired.", "success")

    def _carry_out(
        self, upload: Any, verb: str, change: Callable[[BoundUploadSet, Record], object]
    ) -> bool:
        """Change an upload, on a record of the engine's own; say what went wrong."""
        upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
        try:
            upload_set = upload_sets[upload.upload_set]
        except KeyError:
            flash(f"{upload!r} belongs to an upload set that this app does not have", "error")
            return False
        engine = upload_set.engine_for(self.model)
        queries = engine.records.queries
        try:
            query = queries.by_id(queries.visible(upload_set.name), upload.upload_id)
            change(upload_set, engine.find(query))
        except UploadNotFound:
            pass  # another request was faster
        except AlreadyComplete:
            return False
        except ChunkedUploadError as error:
            logger.exception("%r could not be %s", upload, verb)
            flash(f"{upload!r} could not be {verb}: {error}", "error")
            return False
        return True


def _keys(ids: list[str]) -> list[int]:
    """Return the rows' keys as numbers; PostgreSQL finds none by text."""
    return [int(key) for key in ids if key.isdecimal()]


def _expiry(upload: Any) -> Any:
    """Return when an upload expires; nothing for a complete one."""
    if upload.status == Status.COMPLETE:
        return ""
    return f"{upload.expires_on} (expired)" if upload.expired else upload.expires_on
