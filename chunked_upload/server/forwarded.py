"""What the proxies before the stand-alone server tell: believed as far as it makes sense.

Werkzeug's ProxyFix takes the entries that the proxies added; a proxy that does not add one leaves
the client's own. So what cannot be an address, a scheme, a host or a path is ignored, as if it had
not been sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from chunked_upload.support.addresses import parse_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: What http/security.py logs to.
logger = logging.getLogger("chunked_upload.security")

#: Where ProxyFix keeps what the server itself said.
_ORIGINAL = "werkzeug.proxy_fix.orig"

#: An absolute path that no browser takes for another site or for another path.
_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[\w.~!$&'()*+,=:@-]+)*", re.ASCII)

_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?", re.ASCII)


def believe_proxies(app: WSGIApplication, hops: int) -> Any:
    """Wrap an app so that it sees what ``hops`` proxies say about the client."""
    return ProxyFix(_sensible(app), hops, hops, hops, hops, hops)


def _sensible(app: WSGIApplication) -> WSGIApplication:
    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        original = environ.get(_ORIGINAL, {})
        environ["wsgi.url_scheme"] = environ["wsgi.url_scheme"].lower()
        for keys, fits in _CHECKS:
            if not fits(environ):
                logger.warning(
                    "forwarded_header_refused: %s from %s",
                    keys[0],
                    original.get("REMOTE_ADDR"),
                    extra={"event": "forwarded_header_refused", "header": keys[0]},
                )
                known = {key: original.get(key) for key in keys}
                environ.update({key: value for key, value in known.items() if value is not None})
        address = parse_address(environ.get("REMOTE_ADDR") or "")
        if address is not None:
            environ["REMOTE_ADDR"] = str(address)  # without the port that some proxies add
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "").rstrip("/")
        return app(environ, start_response)

    return call


def _has_path(environ: WSGIEnvironment) -> bool:
    return _PATH.fullmatch(environ.get("SCRIPT_NAME", "").rstrip("/")) is not None


def _has_scheme(environ: WSGIEnvironment) -> bool:
    return environ["wsgi.url_scheme"] in ("http", "https")


def _has_host(environ: WSGIEnvironment) -> bool:
    host, port = environ.get("HTTP_HOST") or "none", environ.get("SERVER_PORT") or "0"
    return _HOST.fullmatch(host) is not None and port.isdecimal()


#: Keys that go back to what the server said, and what they must be to stay.
_CHECKS: tuple[tuple[tuple[str, ...], Callable[[WSGIEnvironment], bool]], ...] = (
    (("SCRIPT_NAME",), _has_path),
    (("wsgi.url_scheme",), _has_scheme),
    (("HTTP_HOST", "SERVER_NAME", "SERVER_PORT"), _has_host),
)
