"""The document of the admin page. It says nothing about uploads: its scripts ask for that."""

from __future__ import annotations

from flask import Response, json, render_template_string, url_for

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.pages.appearance import Appearance
from chunked_upload.pages.assets import asset_url
from chunked_upload.support.package_data import resource

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src {pictures}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}


def document(upload_set: BoundUploadSet, *, by_token: bool, known: bool) -> Response:
    """Return the page.

    :param by_token: administrators sign in on it, with a token.
    :param known: False for a caller who is no administrator, as the page says then.
    """
    settings = upload_set.settings
    look = Appearance(upload_set, title=None, logo=None, accent=None)
    configuration = {
        "endpoint": url_for("chunked_upload_admin.page"),
        "csrfTokenUrl": upload_set.url("csrf_token") if upload_set.checks_csrf else None,
        "language": settings.page_language,
        "languages": settings.page_languages,
        "signIn": "token" if by_token else "app",
        "accent": look.configuration()["accent"],
    }
    text = render_template_string(
        (resource("static") / "admin.html").read_text("utf-8"),
        base=asset_url(upload_set, ""),
        language=settings.page_language or "en",
        config=json.dumps(configuration),
    )
    response = Response(text, 200 if known else 403, headers=_HEADERS)
    policy = _POLICY.format(pictures=look.picture_sources)
    response.headers["Content-Security-Policy"] = policy
    return response
