"""Settings about callers: who may, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import fields, names
from .schema import setting


@dataclass(frozen=True, kw_only=True)
class CallerSettings:
    """The settings that say whom an upload set serves."""

    tokens: Mapping[str, str] | None = setting(
        fields.Tokens(),
        "API tokens: name to SHA-256 hex of the token. With any, a Bearer token is required. Those "
        "in the database count beside them (`create-token`, docs/operating.md).",
        default=None,
    )
    require_tokens: bool = setting(
        fields.Switch(),
        "True: callers need an API token (or a user that the app knows), also while "
        "`CHUNKED_UPLOAD_TOKENS` is None: one that `create-token` has put into the database.",
        default=False,
    )
    cors_origins: tuple[str, ...] = setting(
        names.Origins(),
        "Origins of other sites whose pages may use the service from browsers, as "
        "https://app.example.org: exact, without path, slash or wildcard. They may send the "
        "session's cookie.",
        default=(),
    )
    csrf: bool | None = setting(
        fields.Switch(),
        "Whether requests that change something need a CSRF token of Flask-WTF (the extra "
        "`csrf`). None: when the app uses Flask-WTF's CSRFProtect.",
        default=None,
    )
