"""The column or relationship of an app's own model that says whose upload it is."""

from __future__ import annotations

from typing import Any

from chunked_upload.http.access import callers
from chunked_upload.http.access.callers import Caller


def user_attributes(model: Any, name: str, caller: Caller) -> dict[str, Any]:
    """Return the model's own user column, as django-chunked-upload fills its ``user``."""
    if caller.user is None or not hasattr(model, name):
        return {}
    mapper = model.__mapper__
    relationship = mapper.relationships.get(name)
    if relationship is None:
        column = mapper.columns[name]
        return {name: _user_key(caller.user, column, "id")}
    # The user object belongs to the app's session, so its key is copied, not the object.
    return {
        mapper.get_property_by_column(local).key: _user_key(
            caller.user, remote, relationship.mapper.get_property_by_column(remote).key
        )
        for local, remote in relationship.local_remote_pairs
    }


def _user_key(user: Any, column: Any, attribute: str) -> Any:
    """Return a user's key: its attribute, or its id in the column's type."""
    if hasattr(user, attribute):
        return getattr(user, attribute)
    return column.type.python_type(callers.owner_key(user))
