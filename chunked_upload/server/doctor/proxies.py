"""What the server sees of a request that comes through the proxies: asked of the running server.

The doctor sends ``GET /healthz`` to the public address, with a signature made with the server's
secret key. Only then does the answer tell what the server has seen; nobody else learns it.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask, Request
from itsdangerous import BadData, URLSafeTimedSerializer

from chunked_upload.support.addresses import parse_address

from .finding import Finding, ok, problem, warning

HEADER = "X-Chunked-Upload-Doctor"

#: Seconds for which a signature holds.
_HOLDS = 300

_TIMEOUT = 15

#: Most bytes of an answer to read.
_LONGEST = 64 * 1024


def seen(app: Flask, request: Request, hops: int) -> dict[str, Any] | None:
    """Return what a request looks like here, if the doctor sent it."""
    given = request.headers.get(HEADER)
    if given is None:
        return None
    try:
        _signer(app).loads(given, max_age=_HOLDS)
    except BadData:
        return None
    forwarded = ", ".join(request.headers.getlist("X-Forwarded-For"))
    return {
        "client": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
        "prefix": request.script_root,
        "proxy_hops": hops,
        "forwarded_for": len([entry for entry in forwarded.split(",") if entry.strip()]),
    }


def through(app: Flask, url: str) -> Iterator[Finding]:
    """Ask the server at its public address, and compare what it sees.

    :param url: as people have it, without ``/healthz``.
    """
    address = f"{url.rstrip('/')}/healthz"
    ask = urllib.request.Request(address, headers={HEADER: _signer(app).dumps("")})  # noqa: S310
    try:
        answer = _json(ask)
    except (OSError, ValueError, http.client.HTTPException) as error:
        yield problem(
            "proxy",
            f"{address} cannot be read: {error}",
            "Check that the server runs, and that the proxy passes /healthz on to it.",
        )
        return
    told = answer.get("seen") if isinstance(answer, dict) else None
    if told is None:
        yield problem(
            "proxy",
            f"{address} is answered by another program, or by a server with another SECRET_KEY",
            "Run the doctor with the server's environment; check where the proxy sends requests.",
        )
        return
    yield from compared(told, url)


def _json(ask: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(ask, timeout=_TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read(_LONGEST))
    except urllib.error.HTTPError as error:
        with error:  # 503 has an answer, too
            return json.loads(error.read(_LONGEST))


def compared(told: dict[str, Any], url: str) -> Iterator[Finding]:
    """Compare what the server has seen with the address as people have it."""
    wanted = urlsplit(url)
    hops, entries = told["proxy_hops"], told["forwarded_for"]
    if entries > hops:
        yield problem(
            "proxy",
            f"{entries} proxies tell whose request it is, but the server believes {hops or 'none'}:"
            f" it sees {told['client']}",
            f"CHUNKED_UPLOAD_PROXY_HOPS={entries}, if these are proxies of yours.",
        )
    elif entries < hops:
        yield problem(
            "proxy",
            f"the server believes {hops} proxies, and {entries} have added to X-Forwarded-For:"
            " a client may choose its own address",
            f"CHUNKED_UPLOAD_PROXY_HOPS={entries}, or have every proxy add to X-Forwarded-For.",
        )
    for what, sees, expected, header in (
        ("scheme", told["scheme"], wanted.scheme, "X-Forwarded-Proto"),
        ("host", told["host"], _host(wanted), "X-Forwarded-Host"),
        ("prefix", told["prefix"], wanted.path.rstrip("/"), "X-Forwarded-Prefix"),
    ):
        if sees != expected:
            yield problem(
                "proxy",
                f"the server sees the {what} {sees!r} instead of {expected!r}: addresses that it"
                " tells clients are wrong",
                f"Have the proxy send {header}, and set CHUNKED_UPLOAD_PROXY_HOPS.",
            )
    yield _client(told)


def _host(wanted: SplitResult) -> str:
    """Return what Flask calls the host: without the port that the scheme has anyway."""
    host = wanted.netloc.rpartition("@")[2]
    return host.removesuffix(":443" if wanted.scheme == "https" else ":80")


def _client(told: dict[str, Any]) -> Finding:
    address = parse_address(told["client"] or "")
    said = f"the server sees this request come from {told['client']}"
    if address is not None and address.is_loopback and told["forwarded_for"]:
        return warning(
            "proxy",
            said,
            "That is this host, unless you run the doctor on another one: then the proxy does not"
            " tell the client's address.",
        )
    return ok("proxy", said)


def _signer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="chunked-upload doctor")
