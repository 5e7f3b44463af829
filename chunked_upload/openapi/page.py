"""``GET /openapi``: the description for people, shown by Swagger UI, which comes from npm.

Its script asks for ``openapi.json`` beside the page.
"""

from __future__ import annotations

from pathlib import Path

from flask import Response, render_template_string, request

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.pages.assets import asset_url

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

_TEMPLATE = Path(__file__).with_name("page.html")


def page(upload_set: BoundUploadSet) -> Response:
    """Return the page.

    :param upload_set: whose address the page's files have.
    """
    text = render_template_string(_TEMPLATE.read_text("utf-8"), base=asset_url(upload_set, ""))
    response = Response(text, headers=_HEADERS)
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]
