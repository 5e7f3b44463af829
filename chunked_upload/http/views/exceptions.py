"""Turns exceptions into answers.

An app's own error handlers come first: ``@app.errorhandler(ChunkedUploadError)`` and, for a refused
CSRF token, Flask-WTF's ``CSRFError``. An error in a hook is also answered in JSON, and logged as
Flask logs it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from flask import Response, current_app, got_request_exception, request
from werkzeug.exceptions import HTTPException

from chunked_upload.errors import ChunkedUploadError

from ..checks import error_of
from ..errors import CsrfRefused


def refusal_of(error: Exception) -> ChunkedUploadError:
    """Return an exception as an error of the contract.

    :raises Exception: the given exception, when Flask should handle it.
    """
    if isinstance(error, ChunkedUploadError):
        return error
    if isinstance(error, HTTPException):
        if _has_own_handler(error):
            raise error
        return error_of(error)
    if _propagates() or _handler_of(error) is not None:
        raise error
    current_app.log_exception(sys.exc_info())
    got_request_exception.send(current_app._get_current_object(), exception=error)  # type: ignore[attr-defined]
    return ChunkedUploadError(500, detail="Internal server error; the server's log says more")


def answer_of_app(error: ChunkedUploadError) -> Response | None:
    """Return the app's handler's answer to a refusal; None when it has no handler for it.

    :param error: with its status and words.
    """
    said: Exception = error
    handled = _handler_of(error, of=ChunkedUploadError)
    if handled is None and isinstance(error.__cause__ or error, CsrfRefused):
        csrf_error = _csrf_error(error)
        if csrf_error is not None and _handler_of(csrf_error) is not None:
            said, handled = csrf_error, type(csrf_error)
    if handled is None:
        return None
    return current_app.make_response(current_app.handle_user_exception(said))


def _csrf_error(error: ChunkedUploadError) -> Exception | None:
    try:
        from flask_wtf.csrf import CSRFError
    except ImportError:
        return None
    made: Exception = CSRFError(str(error.data.get("reason", error)))
    return made


def _handler_of(error: Exception, of: type[Exception] = Exception) -> type[Exception] | None:
    """Return the class for which the app or the blueprint has a handler that fits an error.

    :param of: the most general class that counts. A handler of every Exception is for unexpected
        errors, so a refusal does not go to it.
    """
    return next((kind for kind in _handled(error) if issubclass(kind, of)), None)


def _has_own_handler(error: HTTPException) -> bool:
    """Return whether the app has a handler for an exception class of its own.

    Handlers of a status, or of Werkzeug's classes, are for the app's pages.
    """
    return any(
        issubclass(kind, HTTPException) and kind.__module__.partition(".")[0] != "werkzeug"
        for kind in _handled(error)
    )


def _handled(error: Exception) -> Iterator[type[Exception]]:
    """Yield the classes of an error for which the app or the blueprint has a handler."""
    for scope in (*request.blueprints, None):
        for handlers in current_app.error_handler_spec.get(scope, {}).values():
            yield from (kind for kind in type(error).__mro__ if kind in handlers)


def _propagates() -> bool:
    """Return whether Flask lets exceptions through, as in tests and in the debugger."""
    setting = current_app.config["PROPAGATE_EXCEPTIONS"]
    return bool(current_app.testing or current_app.debug) if setting is None else bool(setting)
