"""Settings for whoever runs the service: what it tells about itself, and whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import fields, functions
from .events import EventSettings
from .schema import setting


@dataclass(frozen=True, kw_only=True)
class OperatingSettings(EventSettings):
    """What the service tells about itself; the first upload set's settings hold for the app."""

    log_format: str = setting(
        fields.Text(pattern="json|text|auto", problem="must be 'json', 'text' or 'auto'"),
        "How the stand-alone server writes its log: `json`, one object a line; `text`, for people; "
        "`auto`, text on a terminal and JSON elsewhere (docs/operating.md).",
        default="auto",
    )
    metrics: bool = setting(
        fields.Switch(),
        "True: `/metrics` has figures for Prometheus (docs/operating.md), for programs on this "
        "host and for whoever sends `CHUNKED_UPLOAD_METRICS_TOKEN`. It takes the extra `metrics`.",
        default=False,
    )
    metrics_token: str | None = setting(
        fields.Text(pattern=r"[!-~]{16,}", problem="must be at least 16 characters", secret=True),
        "The Bearer token with which other hosts may read `/metrics`. None: only this host may.",
        default=None,
    )
    openapi: bool = setting(
        fields.Switch(),
        "True: the app describes the service as OpenAPI 3.1 at `/openapi.json`, and as a page at "
        "`/openapi` (docs/openapi.md), for everybody. It is on in the stand-alone server if it is "
        "not set.",
        default=False,
    )
    admin_loader: Any = setting(
        functions.AdminLoader(),
        "Function of the request that returns the name of the administrator who sent it, for the "
        "log, or None; or its dotted name. With it, there is an admin page (docs/operating.md). "
        "The stand-alone server knows administrators by tokens with the scope `admin`.",
        default=None,
    )
    admin_url: str = setting(
        fields.Text(
            pattern=r"(?:/(?!\.\.?(?:/|$))[^/\s?#%<>\\]+)+",
            problem="must begin with a slash and not end with one, as /admin",
        ),
        "Where the admin page is.",
        default="/admin",
    )
