"""Who the caller is.

Three sources are asked in this order: a Bearer token (when tokens are set), the upload set's
``user_loader``, and Flask-Login's current user (when the app uses Flask-Login). If the app has any
of them, unknown callers are refused. If it has none, callers are anonymous: knowing an upload's id
is the permission to use it, and Flask's signed session cookie separates one browser's list from
another's.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, Request, request, session
from flask.sessions import NullSession
from werkzeug.local import LocalProxy

from chunked_upload.hooks import Hooks
from chunked_upload.support.addresses import network, parse_address

from ..late_context import enter_context
from . import origins
from .tickets import PREFIX as TICKET_PREFIX
from .tickets import Ticket, Tickets
from .tokens import UPLOAD, TokenInvalid, Tokens, bearer
from .tokens import hash_token as hash_token

_SESSION_KEY = "chunked_upload"

#: Set in the environment of a request that another site caused.
_FOREIGN = "chunked_upload.foreign"

#: Set in the environment of a request that nobody sent: the app's own code acts, in a command.
BY_APP = "chunked_upload.by_app"

#: How the quota keys of anonymous callers begin: by the version of their IP address, and for what
#: is none (a proxy's ``unknown``, a Unix socket).
_FAMILIES = {4: "address:", 6: "address6:"}
_NO_ADDRESS = "peer:"

#: Prefix of owners that are tokens, and prefix of users whose key could be mistaken for one.
_TOKEN, _USER, _TICKET = "token:", "user:", "ticket:"


@dataclass(frozen=True)
class Caller:
    """One request's caller.

    :param owner: key of the authenticated owner, None for an anonymous caller.
    :param user: what the loader returned, for a model's own user column; None for a token.
    :param token: the name of the token that identifies the caller; None for a user.
    :param scopes: what the token may be used for; None for a caller without one, who may do all.
    :param refused: why a token of this service that was sent does not count.
    :param ticket: the ticket by which the caller uploads; it sees its own uploads alone.
    """

    owner: str | None = None
    user: Any = None
    token: str | None = None
    scopes: frozenset[str] | None = None
    refused: str | None = None
    ticket: Ticket | None = None

    @property
    def by_token(self) -> bool:
        """Whether a token or ticket identifies the caller, which no browser sends by itself."""
        return self.token is not None or self.ticket is not None


ANONYMOUS = Caller()

_UNKNOWN = "the token is not one that this service knows"


def required(app: Flask, hooks: Hooks, *, tokens: bool) -> bool:
    """Return whether the app has a way to know its callers, and so refuses unknown ones.

    :param tokens: whether a token is such a way.
    """
    return bool(tokens or hooks.loads_user or hasattr(app, "login_manager"))


def identify(
    app: Flask, request: Request, hooks: Hooks, tokens: Tokens, tickets: Tickets
) -> Caller:
    """Return the request's caller; :data:`ANONYMOUS` when it is unknown.

    :raises ServiceUnavailable: when the database is needed and does not answer.
    """
    if request.environ.get(BY_APP):
        return ANONYMOUS
    given = bearer(request)
    if given is not None and given.startswith(TICKET_PREFIX):
        return _by_ticket(given, tickets)
    if given is not None and (caller := _by_token(given, tokens)) is not None:
        return caller
    user = None
    if (load := hooks.loads_user) is not None:
        user = _plain(load(request))
    elif hasattr(app, "login_manager"):
        user = _flask_login_user()
    key = owner_key(user)
    return ANONYMOUS if key is None else Caller(_user_owner(key), user)


def owner_key(user: Any) -> str | None:
    """Return the text under which a user's uploads are kept: its ``get_id()``, ``id`` or itself.

    None for an anonymous caller: None, False, an empty text, an object without a key (as
    Flask-Login's anonymous user).

    :raises TypeError: for an object that has none of them.
    """
    if user is None or user is False or user == "":
        return None
    if isinstance(user, (str, int, uuid.UUID)):
        return str(user)
    if callable(getattr(user, "get_id", None)):
        key = user.get_id()
    elif hasattr(user, "id"):
        key = user.id
    else:
        raise TypeError(f"user_loader must return an id or an object with one, not {user!r}")
    return None if key is None else str(key)


def _plain(user: Any) -> Any:
    """Look through a proxy, such as ``flask_login.current_user`` or one for ``g.user``."""
    return user._get_current_object() if isinstance(user, LocalProxy) else user


def _user_owner(key: str) -> str:
    """Return the owner for a user's key; never one that a token has."""
    # "user:" is put before each, so that no two keys become the same owner.
    return _bounded(f"{_USER}{key}" if key.startswith((_TOKEN, _USER, _TICKET)) else key)


def _bounded(owner: str) -> str:
    """Return an owner that fits its column; replace one that is too long by its hash."""
    return owner if len(owner) <= 255 else f"{_USER}{hashlib.sha256(owner.encode()).hexdigest()}"


def visitor() -> str | None:
    """Return the anonymous browser's key, or None when it has none yet."""
    return session.get(_SESSION_KEY) if has_session() else None


def visitor_to_be() -> str | None:
    """Return the anonymous browser's key, or the one it could be given with :func:`remember`.

    None when the app has no secret key to sign cookies with.
    """
    return visitor() or (uuid.uuid4().hex if has_session() else None)


def remember(key: str | None) -> None:
    """Send an anonymous browser its key with the answer, if it has none."""
    if key is not None and has_session():
        session.setdefault(_SESSION_KEY, key)


def ensure_visitor() -> str | None:
    """Return the anonymous browser's key, made if needed; None when the app has no secret key."""
    key = visitor_to_be()
    remember(key)
    return key


def quota_key(app: Flask, request: Request, caller: Caller) -> str:
    """Return whose quota an upload counts against.

    Anonymous callers share one quota per network address, since they could simply drop a cookie.
    The address is kept only as a keyed hash.
    """
    if caller.owner is not None:
        return _bounded(f"owner:{caller.owner}")
    return _address_key(app.secret_key or b"", request.remote_addr or "")


@lru_cache(maxsize=1024)
def _address_key(secret: str | bytes, address: str) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    common = network(address).encode()
    hashed = hashlib.blake2b(common, key=key[:64], digest_size=16).hexdigest()
    parsed = parse_address(address)
    return (_NO_ADDRESS if parsed is None else _FAMILIES[parsed.version]) + hashed


def other_family(key: str) -> str | None:
    """Return how the quota keys of IPv6 addresses begin, for one of IPv4, and the other way round.

    None for a quota key that is of no address.
    """
    if key.startswith(_FAMILIES[4]):
        return _FAMILIES[6]
    return _FAMILIES[4] if key.startswith(_FAMILIES[6]) else None


def has_session() -> bool:
    """Return whether something can be kept with the browser.

    The app needs a secret key, and the request must not be one that another site caused.
    """
    enter_context()
    if request.environ.get(_FOREIGN):
        return False
    return not isinstance(session._get_current_object(), NullSession)  # type: ignore[attr-defined]


def withhold_session(request: Request, allowed_origins: Collection[str]) -> None:
    """Keep a request that another site caused from reading, setting or changing the session.

    Such a request arrives without the visitor's cookie (``SameSite``). A session that is made for
    its answer would replace the visitor's.

    :param allowed_origins: other sites whose pages may act for the visitor.
    """
    if origins.is_foreign(request, allowed_origins):
        request.environ[_FOREIGN] = True


def refusal_reason(request: Request, *, tokens: bool) -> str:
    """Return why a caller is not known: what was sent, and what was expected.

    :param tokens: whether a token would do.
    """
    if not tokens:
        return "sign in first"
    expected = "send the header Authorization: Bearer TOKEN"
    if request.headers.get("Authorization") is None:
        return f"no token was sent; {expected}"
    if bearer(request) is None:
        return f"the header Authorization has no Bearer token; {expected}"
    return _UNKNOWN


def _by_ticket(given: str, tickets: Tickets) -> Caller:
    """Return the caller that a ticket says."""
    ticket = tickets.read(given)
    if ticket is None:
        return Caller(refused="the ticket is not one that this service has signed")
    scopes = frozenset((UPLOAD,))
    if ticket.owner is None:
        return Caller(f"{_TICKET}{ticket.ticket_id}", scopes=scopes, ticket=ticket)
    return Caller(_user_owner(ticket.owner), ticket.owner, scopes=scopes, ticket=ticket)


def _by_token(given: str, tokens: Tokens) -> Caller | None:
    """Return the caller that a Bearer token says; None when it is no token of this service."""
    kept: Caller | None = tokens.kept(given)
    if kept is not None:
        return kept
    try:
        token = tokens.find(given)
    except TokenInvalid as error:
        return Caller(refused=str(error))
    if token is None:
        return Caller(refused=_UNKNOWN) if tokens.claims(given) else None
    owner = _bounded(f"{_TOKEN}{token.name}")
    caller = Caller(owner, token=token.name, scopes=token.scopes)
    tokens.keep(given, token, caller)
    return caller


def _flask_login_user() -> Any:
    from flask_login import current_user

    return current_user._get_current_object() if current_user.is_authenticated else None
