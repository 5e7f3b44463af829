"""Cross-site request forgery: Flask-WTF's tokens, checked before a byte of a file is taken.

Flask-WTF's own check makes Flask parse the whole form first, with its file, and its tokens expire
after an hour, when an upload may still be running. This module looks for the token in the headers,
then among the fields before the file while the form streams. A token is valid as long as its
session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Request, current_app

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.errors import CsrfRefused

from ..wire.parameters import media_type

if TYPE_CHECKING:
    from flask_wtf.csrf import CSRFProtect

#: Verbs that change something.
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

#: Headers and form fields with the token: Flask-WTF's, and the field of Django's forms.
_HEADERS = ("X-CSRFToken", "X-CSRF-Token")
_FIELDS = ("csrf_token", "csrfmiddlewaretoken")

#: Seconds that a token is valid: no limit, since a token is bound to its session.
_NO_LIMIT = 2**40

#: Key in the environment of a request whose token must still arrive as a field.
_AWAITED = "chunked_upload.csrf_awaited"


def enforced(app: Flask, setting: bool | None) -> bool:
    """Whether an app's requests need a token.

    :param setting: ``CHUNKED_UPLOAD_CSRF``; None follows Flask-WTF's CSRFProtect.
    """
    config = app.config
    if setting is False or not config.get("WTF_CSRF_ENABLED", True):
        return False
    if setting:
        return True
    return _protection(app) is not None and config["WTF_CSRF_CHECK_DEFAULT"]


def is_protected(app: Flask) -> bool:
    """Return whether the app has Flask-WTF's CSRFProtect, which checks its own views."""
    return _protection(app) is not None


def check_installed() -> None:
    """:raises ConfigurationError: unless Flask-WTF can be imported."""
    try:
        import flask_wtf.csrf  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "CHUNKED_UPLOAD_CSRF needs Flask-WTF: pip install chunked-upload[csrf]"
        ) from error


def take_over(app: Flask, blueprint: Blueprint) -> None:
    """Exempt a blueprint from CSRFProtect, even if the app sets that up later."""

    def exempt() -> None:
        protection = _protection(app)
        if protection is not None:
            protection.exempt(blueprint)

    exempt()
    # If the app sets CSRFProtect up later, its check of a request runs later too.
    app.before_request(exempt)


def new_token() -> str:
    """Return a token for the current session."""
    from flask_wtf.csrf import generate_csrf

    token: str = generate_csrf()
    return token


def check_head(request: Request, *, fields_follow: bool) -> None:
    """Check the token in the headers; if there is none, expect it among the form's fields.

    :param fields_follow: the view reads a form, if there is one, and calls :func:`check_fields`.
    :raises CsrfRefused: when it is wrong, or no form field can follow.
    """
    names = current_app.config.get("WTF_CSRF_HEADERS", _HEADERS)
    token = _first(request.headers.get, names)
    if token:
        _check(token)
    elif fields_follow and _has_fields(request):
        request.environ[_AWAITED] = True
    else:
        raise CsrfRefused(f"expected it in the header {' or '.join(names)}")


def check_fields(request: Request, fields: Mapping[str, str]) -> None:
    """Check the token in the fields before the file, unless the headers contained it.

    :raises CsrfRefused: when it is missing or wrong.
    """
    if not request.environ.pop(_AWAITED, False):
        return
    token = _first(fields.get, _FIELDS)
    if not token:
        raise CsrfRefused(
            f"expected it in the header {_HEADERS[0]}, or in the field {_FIELDS[0]} before the file"
        )
    _check(token)


def _check(token: str) -> None:
    from flask_wtf.csrf import ValidationError, validate_csrf

    try:
        validate_csrf(token, time_limit=_NO_LIMIT)
    except ValidationError as error:
        raise CsrfRefused(str(error)) from error


def _first(get: Callable[[str], str | None], names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(get, names)), None)


def _has_fields(request: Request) -> bool:
    mimetype = media_type(request.environ)
    forms = ("multipart/form-data", "application/x-www-form-urlencoded")
    return mimetype in forms or mimetype.endswith("json")


def _protection(app: Flask) -> CSRFProtect | None:
    """Return the app's CSRFProtect; None for another extension of that name."""
    found = app.extensions.get("csrf")
    if found is None:
        return None
    try:
        from flask_wtf.csrf import CSRFProtect
    except ImportError:
        return None
    return found if isinstance(found, CSRFProtect) else None
