"""A request's context of Flask, made only when something needs it.

Flask's contexts, URL matching and session take a fifth of the processor time of a small chunk,
whose answer needs none of them. So a chunk may be answered without (http/shortcut.py). Whatever
does need them (a new upload's visitor, the URL of something, an error handler of the app) calls
:func:`enter_context` first; in a request that came through Flask's dispatch that does nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar

from flask import Flask, Request, Response

_current: ContextVar[LateContext | None] = ContextVar("chunked_upload_late_context", default=None)


class LateContext(ExitStack):
    """The context of a request that was not dispatched by Flask; leaving it ends the context."""

    def __init__(self, app: Flask, request: Request) -> None:
        super().__init__()
        self._app = app
        self._request = request
        self._entered = False
        self.callback(_current.reset, _current.set(self))

    def enter(self) -> None:
        """Push Flask's context for the request, unless that has been done."""
        if not self._entered:
            self._entered = True
            self.enter_context(self._app.request_context(self._request.environ))

    def processed(self, response: Response) -> Response:
        """Return the response as Flask's processing leaves it, with a session that was changed."""
        if not self._entered:
            return response
        done: Response = self._app.process_response(response)
        return done

    def failed(self, error: Exception) -> Response:
        """Return what Flask's dispatch answers to an exception that nobody has foreseen.

        :raises Exception: the same, where Flask is told to propagate exceptions.
        """
        self.enter()
        try:
            answer = self._app.handle_user_exception(error)
        except Exception as unhandled:
            return self._app.handle_exception(unhandled)
        return self.processed(self._app.make_response(answer))


def enter_context() -> None:
    """Make sure that ``flask.request``, ``current_app``, ``session`` and ``url_for`` work."""
    if (late := _current.get()) is not None:
        late.enter()
