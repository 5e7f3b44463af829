"""The ready-made page for people: a document of its own, or a part of an app's page.

The page itself is in ``static/``: ``page.css``, the modules in ``page/``, and the library
``chunked-upload.js`` that they use. This module adds the configuration: the upload set's URLs, and
its limits for this request, so that the page rejects a file before it sends a byte.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, json, render_template_string, request
from markupsafe import Markup

from chunked_upload.http.access import callers
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.support.package_data import resource

#: Allows only what the page needs: its modules, its style sheet, its requests, its worker, its
#: icon, and WebAssembly, which computes the MD5.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

#: Matches the build's output too: statements on one line, without spaces.
_IMPORT = re.compile(r'(?<![^;\n])(?:import|export)\b[^"(;]*\bfrom ?"(\.[^"]+)";')

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def document(
    upload_set: BoundUploadSet,
    *,
    title: str,
    language: str,
    messages: str | None,
    sign_in: str | None,
) -> Response:
    """Return the page as a whole HTML document, with its policy.

    :param title: heading of the page and name of its browser tab.
    :param language: BCP 47 tag of the texts, by which numbers and dates are written.
    :param messages: address of a module with the texts in that language; None for English.
    :param sign_in: address where people sign in, offered when the server no longer knows them.
    """
    static = resource("static")
    body = element(upload_set, title=title, language=language, messages=messages, sign_in=sign_in)
    context = {
        "title": title,
        "language": language,
        "base": upload_set.url("static", filename=""),
        "modules": modules(static),
        "address": upload_set.url("uploads", _external=True),
        "page": body,
    }
    source = (static / "index.html").read_text("utf-8")
    return Response(render_template_string(source, **context), headers=_HEADERS)


def element(
    upload_set: BoundUploadSet,
    *,
    title: str | None = None,
    language: str | None = None,
    messages: str | None = None,
    sign_in: str | None = None,
) -> Markup:
    """Return the element that ``page/main.js`` turns into the page; parameters as above."""
    if not upload_set.login_required:
        callers.ensure_visitor()  # now, so that uploads sent at once are one visitor's
    attributes = {
        "data-config": json.dumps(configuration(upload_set, title=title, sign_in=sign_in)),
        "data-messages": messages,
        "lang": language,
    }
    given = ((name, value) for name, value in attributes.items() if value is not None)
    return Markup('<div class="cu" {}></div>').format(
        Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in given)
    )


def part(upload_set: BoundUploadSet, *, nonce: str | None, **options: str | None) -> Markup:
    """Return :func:`element` with its style sheet and script, for a page of the app's own."""
    once = Markup(' nonce="{}"').format(nonce) if nonce else ""
    style = Markup('<link rel="stylesheet" href="{}"{}>')
    script = Markup('<script type="module" src="{}"{}></script>')
    return Markup("\n").join(
        [
            style.format(upload_set.url("static", filename="page.css"), once),
            element(upload_set, **options),
            script.format(upload_set.url("static", filename="page/main.js"), once),
        ]
    )


@lru_cache(maxsize=1)
def modules(static: Path) -> list[str]:
    """Return the modules that the page imports, for the browser to preload.

    Loading them together takes one round trip instead of five.
    """
    found, waiting = set(), [static / "page" / "main.js"]
    while waiting:
        module = waiting.pop()
        for target in _IMPORT.findall(module.read_text("utf-8")):
            imported = (module.parent / target).resolve()
            if imported not in found:
                found.add(imported)
                waiting.append(imported)
    return sorted(str(module.relative_to(static.resolve())) for module in found)


def configuration(
    upload_set: BoundUploadSet, *, title: str | None, sign_in: str | None
) -> dict[str, Any]:
    """Return the page's configuration: the upload set's URLs and this request's limits."""
    settings = upload_set.settings
    view = upload_set.upload_view(upload_set)
    names = view.field_name or settings.field_name
    max_bytes = view.get_max_bytes(request)
    return {
        "title": title,
        "endpoint": upload_set.url("uploads"),
        "fieldName": names if isinstance(names, str) else names[0],
        "maxBytes": max_bytes,
        "maxChunkBytes": upload_set.max_chunk_bytes,
        "allowedExtensions": settings.allowed_extensions,
        "deniedExtensions": settings.denied_extensions,
        "md5": upload_set.complete_view.do_md5_check,
        "checksum": upload_set.browser_checksum,
        "csrfTokenUrl": upload_set.url("csrf_token") if upload_set.checks_csrf else None,
        "signIn": {"with": _sign_in_with(upload_set), "url": sign_in},
    }


def _sign_in_with(upload_set: BoundUploadSet) -> str | None:
    """Return how callers authenticate: by a token, by the app, or not at all."""
    if not upload_set.login_required:
        return None
    only_tokens = upload_set.settings.tokens and upload_set.hooks.loads_user is None
    return "token" if only_tokens else "app"
