"""The access log: one JSON object a line, safe whatever a client puts into its request.

Values are JSON-escaped, so a name or path with line breaks cannot forge a second entry, and no
header with a credential is among them.

It wraps the whole app instead of using Flask's hooks: every chunk has its line, and what it tells
stands in the environment and the answer's head, where it costs half as much to get at.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wsgi import get_content_length, get_path_info

from chunked_upload.http.wire.body import BODY_KEY, Body
from chunked_upload.support.log_context import REQUEST_ID, begin, current, end, request_id

from .logs import is_json
from .path_tricks import tell_refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("chunked_upload.access")

_MAX_PATH = 500

#: What a line for people has besides.
_SHOWN = ("received", "range", "offset", "owner", "request_id")

#: A link's signature, without which its address is worth nothing (sharing/links.py).
_SIGNATURE = re.compile(r"(?<=/shared/)([^/]{0,33})[^/]*")


class _StdoutHandler(logging.Handler):
    """Writes to what is standard output at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        _write(self.format(record))


_own_handler = _StdoutHandler()


def _write(line: str) -> None:
    # One write for the line, so that those of several workers do not mix.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _log(line: str) -> None:
    """Log a line.

    A log record is made for it only if the operator has added something that would see it: that
    costs two fifths of the line's time.
    """
    own = _own_handler
    if (
        logger.handlers == [own]
        and not (logger.filters or own.filters or logger.propagate)
        and own.formatter is None
        and own.level == logging.NOTSET
    ):
        _write(line)
    else:
        logger.info("%s", line)


def init_app(app: Flask, *, log_format: str = "json") -> None:
    """Log every request of an app to the logger ``chunked_upload.access``, by default to stdout.

    :param log_format: as the setting of this name.
    """
    if not logger.handlers:
        logger.addHandler(_own_handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    show = None if is_json(log_format, sys.stdout) else _readable
    app.wsgi_app = _AccessLog(app.wsgi_app, show)  # type: ignore[method-assign]


class _AccessLog:
    """Logs what a WSGI app has answered, before its answer's body is sent.

    It also gives each request its id.

    :param show: makes another line of the one in JSON.
    """

    def __init__(self, app: WSGIApplication, show: Callable[[str], str] | None) -> None:
        self._app = app
        self._show = show

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        answered: tuple[str, list[tuple[str, str]]] | None = None
        identifier = request_id(environ.get("HTTP_X_REQUEST_ID"))
        environ[REQUEST_ID] = identifier

        def note(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal answered
            answered = status, headers
            headers.append(("X-Request-ID", identifier))
            return start_response(status, headers, *error)

        token = begin(identifier)
        try:
            body = self._app(environ, note)
            if answered and answered[0].startswith("4"):
                tell_refused(environ, answered[0])
            if answered and logger.isEnabledFor(logging.INFO):
                line = _line(environ, *answered, time.perf_counter() - started)
                _log(line if self._show is None else self._show(line))
            return body
        finally:
            end(token)


def shown(path: str) -> str:
    """Return a request's path as logs may have it."""
    return (_SIGNATURE.sub(r"\1…", path) if "/shared/" in path else path)[:_MAX_PATH]


def _line(
    environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]], seconds: float
) -> str:
    """Return an entry as JSON, put together by hand, which takes half as long as json.dumps."""
    path: str = environ.get("PATH_INFO", "")
    path = shown(path if path.isascii() else get_path_info(environ))
    remote, tenths = environ.get("REMOTE_ADDR"), round(seconds * 10_000)
    line = (
        f'{{"time": "{_now()}", "remote": {"null" if remote is None else _quoted(remote)}'
        f', "method": {_quoted(environ["REQUEST_METHOD"])}, "path": {_quoted(path)}'
        f', "status": {int(status[:3])}, "ms": {tenths // 10}.{tenths % 10}'
    )
    body: Body | None = environ.get(BODY_KEY)
    # What was counted, else what was declared.
    received = get_content_length(environ) if body is None else body.received
    if received is not None:
        line += f', "received": {received}'
    if span := environ.get("HTTP_CONTENT_RANGE"):
        line += f', "range": {_quoted(span[:80])}'
    for name, value in headers:
        if name == "Upload-Offset":
            line += f', "offset": {_quoted(value)}'
            break
    if agent := environ.get("HTTP_USER_AGENT"):
        line += f', "agent": {_quoted(agent[:200])}'
    line += f', "request_id": {_quoted(environ[REQUEST_ID])}'
    if (context := current()) is not None:
        if context.upload_id is not None:
            line += f', "upload_id": {_quoted(context.upload_id)}'
        if context.owner is not None:
            line += f', "owner": {_quoted(context.owner)}'
    return line + "}"


#: A second since 1970, and its text; to write that anew for each line costs a tenth of the line.
_second: tuple[int, str] = (0, "")


def _now() -> str:
    global _second
    now = time.time()
    second, text = _second
    if second != int(now):
        second = int(now)
        text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
        _second = second, text
    return f"{text}.{str(1000 + int((now - second) * 1000))[1:]}+00:00"


def _readable(line: str) -> str:
    """Return an entry as a line for people; JSON's escapes keep it one line."""
    entry: dict[str, Any] = json.loads(line)
    shown = (
        entry["time"][11:19],
        entry["status"],
        f"{entry['method']:<6}",
        json.dumps(entry["path"], ensure_ascii=True)[1:-1],
        f"{entry['ms']:g} ms",
        *(f"{name}={json.dumps(entry[name])}" for name in _SHOWN if name in entry),
    )
    return " ".join(map(str, shown))
