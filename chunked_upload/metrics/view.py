"""``GET /metrics``: the figures, for programs on this host and for whoever has the token."""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from flask import Flask, Request, Response, request

from chunked_upload.errors import ChunkedUploadError, ConfigurationError
from chunked_upload.extension import ChunkedUpload
from chunked_upload.http.operation import Answer, Body, Operation, describe
from chunked_upload.http.wire.replies import error_reply
from chunked_upload.settings.keys import Settings
from chunked_upload.support.addresses import parse_address

from .counting import DIRECTORY_VARIABLE, Counting

logger = logging.getLogger(__name__)

URL = "/metrics"

#: What proxies add. A request with one of them was not sent by a program on this host, whatever the
#: address of the connection is, and whatever address a client says that it has.
_FORWARDED = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)


class _NotForYou(ChunkedUploadError):
    """403: the figures are for others."""

    def __init__(self) -> None:
        super().__init__(
            403,
            detail="These figures are not for you",
            reason="programs on the server's own host may read them, and others with the header"
            " Authorization: Bearer TOKEN, where TOKEN is CHUNKED_UPLOAD_METRICS_TOKEN",
        )


def add_metrics(app: Flask, uploads: ChunkedUpload) -> None:
    """Add ``/metrics`` to an app whose first upload set asks for it.

    :raises ConfigurationError: when prometheus-client is missing, or the app has the URL already.
    """
    settings: Settings = app.extensions["chunked_upload"][uploads.name].settings
    if not settings.metrics:
        return
    # Not imported yet: it reads the environment when it is.
    if find_spec("prometheus_client") is None:
        raise ConfigurationError(
            "CHUNKED_UPLOAD_METRICS needs prometheus-client; install chunked-upload[metrics]"
        )
    if any(rule.rule == URL for rule in app.url_map.iter_rules()):
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_METRICS adds the URL {URL}, which this app has already"
        )
    counting = Counting(app)
    app.before_request(counting.begin)
    app.add_url_rule(URL, "chunked_upload_metrics", lambda: _answer(app, settings, counting))
    describe(app, URL, _operations)


def _operations(upload_set: Any) -> Iterable[Operation]:
    text = {"type": "string"}
    yield Operation(
        verb="GET",
        name="get_metrics",
        title="Get figures for Prometheus",
        topic="Service",
        text="For programs on the server's host, and for whoever has the token for figures.",
        answers={
            200: Answer(
                meaning="The figures.",
                bodies={
                    "text/plain": Body(schema=text),
                    "application/openmetrics-text": Body(schema=text),
                },
            )
        },
        refusals=(_NotForYou(),),
        public=True,
    )


def _answer(app: Flask, settings: Settings, counting: Counting) -> Response:
    if not _may_read(request, settings.metrics_token):
        if counting.running:
            _count_refusal()
        return _refuse(settings)
    from prometheus_client.exposition import choose_encoder

    if counting.running:
        from .batch import count

        count()
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    response = Response(encode(_Figures(app)), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def _may_read(request: Request, token: str | None) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token is not None:
        return hmac.compare_digest(given.strip().encode(), token.encode())
    if any(name in request.headers for name in _FORWARDED):
        return False
    address = parse_address(request.remote_addr or "")
    return address is not None and address.is_loopback


def _count_refusal() -> None:
    from .counts import REFUSED_SCRAPES

    REFUSED_SCRAPES.inc()


def _refuse(settings: Settings) -> Response:
    logger.warning("a request for %s was refused: it came from %s", URL, request.remote_addr)
    return error_reply(settings, _NotForYou())


class _Figures:
    """All figures of a scrape, as prometheus-client's encoders take them."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Any]:
        """Yield what the processes have counted, and what database and storage say now.

        What other processes have noted within the last second may be missing.
        """
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        from .state import State

        if os.environ.get(DIRECTORY_VARIABLE):
            shared = CollectorRegistry()
            MultiProcessCollector(shared)
            yield from shared.collect()
        else:
            from .counts import REGISTRY

            yield from REGISTRY.collect()
        yield from State(self._app).collect()
