"""Who the caller is.

Three sources are asked in this order: a Bearer token (when tokens are set), the upload set's
``user_loader``, and Flask-Login's current user (when the app uses Flask-Login). If the app has any
of them, unknown callers are refused. If it has none, callers are anonymous: knowing an upload's id
is the permission to use it, and Flask's signed session cookie separates one browser's list from
another's.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, current_app, request, session
from flask.sessions import NullSession
from werkzeug.local import LocalProxy

from chunked_upload.hooks import Hooks
from chunked_upload.support.addresses import network, parse_address

from . import origins

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
_TOKEN, _USER = "token:", "user:"


@dataclass(frozen=True)
class Caller:
    """One request's caller.

    :param owner: key of the authenticated owner, None for an anonymous caller.
    :param user: what the loader returned, for a model's own user column; None for a token.
    """

    owner: str | None = None
    user: Any = None

    @property
    def by_token(self) -> bool:
        """Whether a Bearer token identifies the caller, which no browser sends by itself."""
        return self.owner is not None and self.owner.startswith(_TOKEN)


ANONYMOUS = Caller()


def required(app: Flask, hooks: Hooks, tokens: Mapping[str, str] | None) -> bool:
    """Return whether the app has a way to know its callers, and so refuses unknown ones."""
    return bool(tokens or hooks.loads_user or hasattr(app, "login_manager"))


def identify(
    app: Flask, request: Request, hooks: Hooks, tokens: Mapping[str, str] | None
) -> Caller:
    """Return the request's caller; :data:`ANONYMOUS` when it is unknown."""
    if request.environ.get(BY_APP):
        return ANONYMOUS
    name = _token_name(request, tokens)
    if name is not None:
        return Caller(_bounded(f"{_TOKEN}{name}"))
    user = None
    if (load := hooks.loads_user) is not None:
        user = _plain(load(request))
    elif hasattr(app, "login_manager"):
        user = _flask_login_user()
    key = owner_key(user)
    return ANONYMOUS if key is None else Caller(_user_owner(key), user)


def hash_token(token: str) -> str:
    """Return a token's SHA-256, which is stored. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


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
    # "user:" is put before both, so that no two keys become the same owner.
    return _bounded(f"{_USER}{key}" if key.startswith((_TOKEN, _USER)) else key)


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


def quota_key(request: Request, caller: Caller) -> str:
    """Return whose quota an upload counts against.

    Anonymous callers share one quota per network address, since they could simply drop a cookie.
    The address is kept only as a keyed hash.
    """
    if caller.owner is not None:
        return _bounded(f"owner:{caller.owner}")
    secret = current_app.secret_key or b""
    key = secret.encode() if isinstance(secret, str) else secret
    address = network(request.remote_addr or "")
    hashed = hashlib.blake2b(address.encode(), key=key[:64], digest_size=16).hexdigest()
    parsed = parse_address(request.remote_addr or "")
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


def refusal_reason(request: Request, tokens: Mapping[str, str] | None) -> str:
    """Return why a caller is not known: what was sent, and what was expected."""
    if not tokens:
        return "sign in first"
    expected = "send the header Authorization: Bearer TOKEN"
    given = request.headers.get("Authorization")
    if given is None:
        return f"no token was sent; {expected}"
    scheme, _, token = given.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return f"the header Authorization has no Bearer token; {expected}"
    return "the token is not one that this service knows"


def _token_name(request: Request, tokens: Mapping[str, str] | None) -> str | None:
    if not tokens:
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    given = hash_token(token.strip())
    # Compare every token, in constant time, so that the time reveals nothing.
    matches = [name for name, known in tokens.items() if hmac.compare_digest(given, known)]
    return matches[0] if matches else None


def _flask_login_user() -> Any:
    from flask_login import current_user

    return current_user._get_current_object() if current_user.is_authenticated else None
