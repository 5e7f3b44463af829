"""What a worker has room for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker has room for.

    :param connections: at a time.
    :param per_address: of them, from one address (IPv6: one /64); None: no limit.
    :param slow_bodies: requests whose body is slow in coming, at a time.
    :param keepalive: seconds that a connection may rest between two requests.
    :param idle: seconds that a client may be silent within a request.
    """

    connections: int
    per_address: int | None
    slow_bodies: int
    keepalive: float
    idle: float
