"""Signals, and functions that an app registers on an upload set.

Signals (blinker, as Flask's own) are sent with the Flask app as sender and the keywords ``upload``
(the record) and ``upload_set`` (the upload set's name). They are sent after the event: the record
is already committed when a receiver runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from blinker import Namespace

_signals = Namespace()

#: The first chunk of a new upload is stored.
upload_created = _signals.signal("upload-created")
#: A chunk is stored; the record has the new offset.
chunk_received = _signals.signal("chunk-received")
#: The file is complete and in its final place; sent after ``on_completion``, with its retries.
upload_completed = _signals.signal("upload-completed")
#: The cleaner removed an expired upload.
upload_expired = _signals.signal("upload-expired")
#: A client or an operator removed the upload.
upload_aborted = _signals.signal("upload-aborted")

SIGNALS = {
    "created": upload_created,
    "chunk_received": chunk_received,
    "completed": upload_completed,
    "expired": upload_expired,
    "aborted": upload_aborted,
}


@dataclass
class Hooks:
    """The functions registered on one :class:`~chunked_upload.ChunkedUpload`."""

    user_loader: Callable[[Any], Any] | None = None
    #: The hooks that say who the caller is, and who may upload, where these do not.
    inherits: Hooks | None = None
    permission_checks: list[Callable[[Any], None]] = field(default_factory=list)
    validators: list[Callable[[Any], None]] = field(default_factory=list)
    on_completion: list[Callable[[Any, Any], None]] = field(default_factory=list)
    on_delete: list[Callable[[Any], None]] = field(default_factory=list)

    @property
    def loads_user(self) -> Callable[[Any], Any] | None:
        """The function that returns a request's user."""
        if self.user_loader is None and self.inherits is not None:
            return self.inherits.loads_user
        return self.user_loader

    @property
    def checks_callers(self) -> list[Callable[[Any], None]]:
        """The checks of who may upload."""
        if not self.permission_checks and self.inherits is not None:
            return self.inherits.checks_callers
        return self.permission_checks
