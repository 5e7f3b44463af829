"""Who the caller is.

In this order: a Bearer token (when tokens are set), the mount's ``user_loader``, Flask-Login's
current user (when the app uses Flask-Login). With any of them in place a caller it does not know is
refused. With none, callers are anonymous: the id of an upload is the capability to use it, and
Flask's signed session cookie tells one browser's list from another's.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, current_app, session
from flask.sessions import NullSession

from .hooks import Hooks

_SESSION_KEY = "chunked_upload"


@dataclass(frozen=True)
class Caller:
    """One request's caller.

    :param owner: key of the authenticated owner, None for an anonymous caller.
    :param user: what the loader returned, for a model's own user column; None for a token.
    """

    owner: str | None = None
    user: Any = None


ANONYMOUS = Caller()


def required(hooks: Hooks, tokens: Mapping[str, str] | None) -> bool:
    """Whether the app has any way to know its callers, and so refuses strangers."""
    return bool(tokens or hooks.user_loader or hasattr(current_app, "login_manager"))


def identify(request: Request, hooks: Hooks, tokens: Mapping[str, str] | None) -> Caller:
    """Return who sent the request; :data:`ANONYMOUS` when nobody known did."""
    name = _token_name(request, tokens)
    if name is not None:
        return Caller(f"token:{name}")
    user = None
    if hooks.user_loader is not None:
        user = hooks.user_loader(request)
    elif hasattr(current_app, "login_manager"):
        user = _flask_login_user()
    return ANONYMOUS if user is None else Caller(owner_key(user), user)


def hash_token(token: str) -> str:
    """Return what is kept of a token: its SHA-256. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def owner_key(user: Any) -> str:
    """Return the text under which a user's uploads are kept: its ``get_id()``, ``id`` or itself.

    :raises TypeError: for an object that has none of them.
    """
    if isinstance(user, (str, int, uuid.UUID)):
        return str(user)
    if callable(getattr(user, "get_id", None)):
        return str(user.get_id())
    if hasattr(user, "id"):
        return str(user.id)
    raise TypeError(f"user_loader must return an id or an object with one, not {user!r}")


def visitor() -> str | None:
    """Return the anonymous browser's key, or None when it has none yet."""
    return session.get(_SESSION_KEY) if _has_session() else None


def ensure_visitor() -> str | None:
    """Return the anonymous browser's key, giving it one; None when the app has no secret key."""
    if not _has_session():
        return None
    known: str = session.setdefault(_SESSION_KEY, uuid.uuid4().hex)
    return known


def quota_key(request: Request, caller: Caller) -> str:
    """Return whose quota an upload counts against.

    Anonymous callers share one per network address: a cookie they could simply drop. The address
    is kept only as a keyed hash.
    """
    if caller.owner is not None:
        return f"owner:{caller.owner}"[:255]
    secret = current_app.secret_key or b""
    key = secret.encode() if isinstance(secret, str) else secret
    address = (request.remote_addr or "").encode()
    return "address:" + hashlib.blake2b(address, key=key[:64], digest_size=16).hexdigest()


def _has_session() -> bool:
    return not isinstance(session._get_current_object(), NullSession)  # type: ignore[attr-defined]


def _token_name(request: Request, tokens: Mapping[str, str] | None) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not tokens or scheme.lower() != "bearer":
        return None
    given = hash_token(token.strip())
    # Every token is compared, in constant time, so that the time tells nothing.
    matches = [name for name, known in tokens.items() if hmac.compare_digest(given, known)]
    return matches[0] if matches else None


def _flask_login_user() -> Any:
    from flask_login import current_user

    return current_user._get_current_object() if current_user.is_authenticated else None
