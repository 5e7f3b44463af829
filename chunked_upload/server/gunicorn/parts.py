"""The parts of gunicorn that the worker is built on, looked up before anything uses them.

A release of gunicorn may change them. Then the server ends with one sentence that says so, instead
of a traceback from within a request.
"""

from __future__ import annotations

import inspect
from functools import reduce
from importlib import import_module
from typing import Any

import gunicorn

from chunked_upload.errors import ConfigurationError

#: Modules, and what is used of them: names with dots, functions with their parameters.
_USED = {
    "gunicorn.app.base": ["BaseApplication.load_config", "BaseApplication.run"],
    "gunicorn.workers.base": [
        "Worker(age, ppid, sockets, app, timeout, cfg, log)",
        "Worker.PIPE",
        "Worker.handle_exit(sig, frame)",
        "Worker.handle_quit(sig, frame)",
        "Worker.init_process()",
        "Worker.load_wsgi()",
        "Worker.notify()",
        "Worker.run()",
    ],
    "gunicorn.http.message": [
        "Request(cfg, unreader, peer_addr, req_number)",
        "Request._expected_100_continue",
        "Request.should_close()",
    ],
    "gunicorn.http.unreader": [
        "Unreader()",
        "Unreader.chunk(size_hint)",
        "Unreader.take_buffered()",
        "Unreader.unread(data)",
    ],
    "gunicorn.http.body": [
        "Body(reader)",
        "Body._read_reader(size)",
        "Body.read(size)",
        "ChunkedReader(req, unreader)",
        "ChunkedReader.read(size)",
        "LengthReader(unreader, length)",
    ],
    "gunicorn.http.wsgi": [
        "create(req, sock, client, server, cfg)",
        "Response.close()",
        "Response.force_close()",
        "Response.should_close()",
        "Response.start_response(status, headers)",
        "Response.write(arg)",
        "Response.write_file(respiter)",
    ],
    "gunicorn.http.errors": [
        "ExpectationFailed",
        "LimitRequestHeaders",
        "LimitRequestLine",
        "NoMoreData",
        "ParseException",
    ],
}

#: Attributes that only requests have, with a length and with a transfer coding.
_OF_A_REQUEST = (
    *("headers", "trailers", "version", "must_close"),
    *("body.buf.tell", "body.failed", "body.reader.length", "body.reader.unreader.buf.seek"),
)
_OF_A_CODED_REQUEST = ("body.reader.buf.tell",)


def check() -> None:
    """Look up every part.

    :raises ConfigurationError: naming the first that is missing or takes other parameters.
    """
    missing = [
        f"{module}.{part}"
        for module, parts in _USED.items()
        for part in parts
        if not _is_there(module, part)
    ]
    if missing or (missing := _missing_of_a_request()):
        raise ConfigurationError(
            f"gunicorn {gunicorn.__version__} has no {missing[0]}, which the bundled server is"
            " built on: install the gunicorn that chunked-upload asks for"
            " (pip install 'gunicorn>=27,<28'), or serve the app with another WSGI server"
        )


def _is_there(module: str, part: str) -> bool:
    name, bracket, wanted = part.partition("(")
    try:
        found: Any = reduce(getattr, name.split("."), import_module(module))
    except (ImportError, AttributeError):
        return False
    if not bracket:
        return True
    has = inspect.signature(found).parameters
    return all(parameter in has for parameter in wanted.rstrip(")").split(", ") if parameter)


def _missing_of_a_request() -> list[str]:
    """Parse requests, and return which of the attributes that only instances have they lack."""
    missing = []
    for framing, names in [
        (b"Content-Length: 3", _OF_A_REQUEST),
        (b"Transfer-Encoding: chunked", _OF_A_CODED_REQUEST),
    ]:
        request = _parse(framing)
        missing += [name for name in names if not _has(request, name)]
    return [f"http.message.Request().{name}" for name in missing]


def _parse(framing: bytes) -> Any:
    from gunicorn.config import Config
    from gunicorn.http.message import Request
    from gunicorn.http.unreader import Unreader

    unreader = Unreader()
    unreader.unread(b"PUT / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    return Request(Config(), unreader, ("127.0.0.1", 1), 1)


def _has(found: Any, name: str) -> bool:
    try:
        reduce(getattr, name.split("."), found)
    except AttributeError:
        return False
    return True
