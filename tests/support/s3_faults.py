"""Makes calls of boto3 fail in the ways in which stores and networks fail."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

Send = Callable[[], Any]


def reset(send: Send, url: str) -> Any:
    """Break the connection before the request arrives."""
    raise ConnectionClosedError(endpoint_url=url)


def lost_reply(send: Send, url: str) -> Any:
    """Carry the request out, and lose the answer."""
    send()
    raise ReadTimeoutError(endpoint_url=url)


def slow_down(send: Send, url: str) -> Any:
    """Answer 503 SlowDown."""
    return _answer(url, 503, "SlowDown")


def error_in_200(send: Send, url: str) -> Any:
    """Answer 200 with an error in the body, as S3 does when a long request fails at its end."""
    return _answer(url, 200, "InternalError")


FAULTS = (reset, lost_reply, slow_down, error_in_200)


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _answer(url: str, status: int, code: str) -> AWSResponse:
    body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    headers = {"Content-Type": "application/xml", "Content-Length": str(len(body))}
    return AWSResponse(url, status, headers, _Body(body))


class Calls:
    """Counts the calls of boto3, and fails some of them, whatever it retries."""

    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []
        self._lock = threading.Lock()
        self._failing = threading.local()
        self._at: Callable[[int], bool] = lambda _: False
        self._fault = reset

    def fail(self, fault: Any, at: Callable[[int], bool]) -> None:
        """Have the calls fail whose number, counted from now and from 0, ``at`` says."""
        self.count, self.names = 0, []
        self._fault, self._at = fault, at

    def call(self, original: Any, client: Any, name: str, arguments: Any) -> Any:
        """Make a call of the API, of which a request may be sent several times."""
        with self._lock:
            self._failing.now = self._at(self.count)
            self.count += 1
            self.names.append(name)
        try:
            return original(client, name, arguments)
        finally:
            self._failing.now = False

    def send(self, original: Any, session: Any, request: Any) -> Any:
        """Send a request."""
        if getattr(self._failing, "now", False):
            return self._fault(lambda: original(session, request), request.url)
        return original(session, request)


@contextmanager
def counted() -> Iterator[Calls]:
    """Count and fail the calls of boto3 in this process; retries do not wait."""
    calls = Calls()
    call, send = BaseClient._make_api_call, URLLib3Session.send

    def make_api_call(client: Any, name: str, arguments: Any) -> Any:
        return calls.call(call, client, name, arguments)

    def send_request(session: Any, request: Any) -> Any:
        return calls.send(send, session, request)

    with (
        patch.object(BaseClient, "_make_api_call", make_api_call),
        patch.object(URLLib3Session, "send", send_request),
        patch("botocore.endpoint.time.sleep"),
    ):
        yield calls
