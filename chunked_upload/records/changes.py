"""What hooks have changed on a record since it was read, for the statement that writes it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Set
from typing import Any

from sqlalchemy.orm.attributes import get_history

from .model import ChunkedUploadMixin


def changed(
    record: ChunkedUploadMixin,
    names: Iterable[str],
    unchanged: Set[str],
    *,
    beside: Container[str],
) -> dict[str, Any]:
    """Return the column attributes that hooks have changed since the record was read.

    :param names: the column attributes.
    :param unchanged: attributes that have not been set.
    :param beside: attributes to leave out.
    """
    touched = set(names) - unchanged
    return {
        name: getattr(record, name)
        for name in touched
        if name not in beside and get_history(record, name).has_changes()
    }


def loaded(record: ChunkedUploadMixin, unchanged: Set[str], name: str) -> Any:
    """Return the value that was read from the database, even if a hook has changed it since."""
    if name in unchanged:
        return getattr(record, name)
    history = get_history(record, name)
    return history.deleted[0] if history.deleted else getattr(record, name)
