"""Signals, and functions that an app registers on an upload set.

Signals (blinker, as Flask's own) are sent with the Flask app as sender and the keywords ``upload``
(the record) and ``upload_set`` (the upload set's name). They are sent after the event: the record
is already committed when a receiver runs. ``request_answered`` is about a request, not an upload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from blinker import Namespace

_Function = TypeVar("_Function", bound=Callable[..., Any])

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

#: ``on_completion`` raised an error, which is being handled when this is sent; it can be retried.
hook_failed = _signals.signal("hook-failed")

#: A request to an upload set's endpoint is answered. Sent with other keywords: ``upload_set``,
#: ``dialect`` and ``method`` (names), ``status``, ``error`` (why it was refused, else None), and
#: ``seconds`` (which include the wait for the client's bytes).
request_answered = _signals.signal("request-answered")

#: The same, sent only for requests that were refused, or that failed.
request_refused = _signals.signal("request-refused")

SIGNALS = {
    "created": upload_created,
    "chunk_received": chunk_received,
    "completed": upload_completed,
    "expired": upload_expired,
    "aborted": upload_aborted,
    "hook_failed": hook_failed,
}


@dataclass
class Hooks:
    """The functions registered on one :class:`~chunked_upload.ChunkedUpload`."""

    user_loader: Callable[[Any], Any] | None = None
    user_name: Callable[[Any], str | None] | None = None
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
    def names_user(self) -> Callable[[Any], str | None] | None:
        """The function of a user that returns the name to show."""
        if self.user_name is None and self.inherits is not None:
            return self.inherits.names_user
        return self.user_name

    @property
    def checks_callers(self) -> list[Callable[[Any], None]]:
        """The checks of who may upload."""
        if not self.permission_checks and self.inherits is not None:
            return self.inherits.checks_callers
        return self.permission_checks


class Registering:
    """The decorators by which an app registers its functions on an upload set."""

    _hooks: Hooks

    def user_loader(self, function: _Function) -> _Function:
        """Register the function that returns a request's user, or None (decorator).

        It may return an id or an object with ``get_id()`` or ``id``. With a loader set, callers
        without a user get 403.
        """
        self._hooks.user_loader = function
        return function

    def user_name(self, function: _Function) -> _Function:
        """Register the function of a user that returns the name to show, or None (decorator).

        The page says who is signed in by it. It gets what the ``user_loader`` (or Flask-Login)
        returned.
        """
        self._hooks.user_name = function
        return function

    def check_permissions(self, function: _Function) -> _Function:
        """Register a check of who may upload, called before the body is read (decorator).

        It refuses by raising ChunkedUploadError.
        """
        self._hooks.permission_checks.append(function)
        return function

    def validate(self, function: _Function) -> _Function:
        """Register a check of the request, called before a byte is stored (decorator).

        It sees the form fields that came before the file, and refuses by raising
        ChunkedUploadError.
        """
        self._hooks.validators.append(function)
        return function

    def on_completion(self, function: _Function) -> _Function:
        """Register a function of ``(uploaded_file, request)`` for completed files (decorator)."""
        self._hooks.on_completion.append(function)
        return function

    def on_delete(self, function: _Function) -> _Function:
        """Register a function of ``(upload)`` for removed uploads (decorator).

        It is called once the upload's record and bytes are gone, whether its client, the cleaner or
        the app's own session removed it. An error in it is logged. If the process dies in between,
        it is not called.
        """
        self._hooks.on_delete.append(function)
        return function
