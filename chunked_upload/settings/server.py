"""Settings of the stand-alone and the bundled server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from . import fields
from .schema import setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The settings that only these servers read."""

    # The stand-alone server only.
    database_uri: str | None = setting(
        fields.Text(pattern=".*", secret=True),
        "Database of the stand-alone server, as postgresql://user@host/name. None: "
        "SQLALCHEMY_DATABASE_URI, else an SQLite file in the instance folder.",
        default=None,
    )
    proxy_hops: int = setting(
        fields.Count(least=0, most=100),
        "How many reverse proxies stand before the stand-alone server: that many "
        "X-Forwarded-* entries are believed.",
        default=0,
    )
    session_cookie_name: str = setting(
        fields.Text(pattern=r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"),
        "Name of the stand-alone server's session cookie.",
        default="chunked_upload_session",
    )
    session_cookie_path: str | None = setting(
        fields.Text(pattern=r"/[!-:<-~]*"),
        "Path of the stand-alone server's session cookie. None: where the server is mounted, which "
        "a proxy tells with X-Forwarded-Prefix.",
        default=None,
    )
    # The bundled server only.
    idle_timeout: timedelta = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "How long a client may send or take nothing within a request before the bundled server "
        "disconnects it. What arrived is kept or dropped as the dialect says.",
        default=timedelta(minutes=1),
    )
    max_connections_per_address: int = setting(
        fields.Count(),
        "Connections of one network address (IPv6: one /64) to one worker of the bundled server. "
        "For one more, the one that has been silent for longest is closed. Ignored behind proxies "
        "(`CHUNKED_UPLOAD_PROXY_HOPS`), which have limits of their own.",
        default=2048,
    )
