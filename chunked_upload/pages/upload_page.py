"""The ready-made page for people: a document of its own, or a part of an app's page.

The page itself is in ``static/``: ``page.css``, the modules in ``page/``, and the library
``chunked-upload.js`` that they use. This module adds the configuration: the upload set's URLs, and
its limits for this request, so that the page rejects a file before it sends a byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, json, render_template_string, request
from markupsafe import Markup

from chunked_upload.http.access import callers
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.settings.page import PageSettings
from chunked_upload.support.package_data import resource

from . import not_loaded
from .appearance import Appearance
from .assets import asset_url

#: Allows only what the page needs: its modules, its style sheet, its requests, its workers, its
#: icon, WebAssembly, which computes the MD5, and a video's bytes, of which a still is taken.
#: Thumbnails of pictures are drawn from bitmaps and need nothing.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "img-src {pictures}",
        "media-src blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

#: Matches the build's output too: statements on one line, without spaces.
_IMPORT = re.compile(r'(?<![^;\n])(?:import|export)\b[^"(;]*\bfrom ?"(\.[^"]+)";')

#: The document's title until the page has loaded its texts, in the visitor's language.
TITLE = "Upload files"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Language",
}


def document(
    upload_set: BoundUploadSet,
    *,
    title: str | None,
    language: str | None,
    messages: str | None,
    sign_in: str | None,
    logo: str | None,
    accent: str | None,
) -> Response:
    """Return the page as a whole HTML document, with its policy.

    :param title: heading of the page and name of its browser tab; None for the settings' or the
        page's own.
    :param language: BCP 47 tag of the texts, by which numbers and dates are written; None for what
        the browser asks for.
    :param messages: address of a module with the app's own texts, in place of the page's.
    :param sign_in: address where people sign in, offered when the server no longer knows them.
    :param logo, accent: as the settings ``page_logo`` and ``page_accent``; None for those.
    :raises ConfigurationError: for a logo or a colour that is none.
    """
    static = resource("static")
    look = Appearance(upload_set, title=title, logo=logo, accent=accent)
    body = _element(upload_set, look, language=language, messages=messages, sign_in=sign_in)
    settings = upload_set.settings
    context = {
        "title": look.title or TITLE,
        "language": language or settings.page_language or "en",
        "base": asset_url(upload_set, ""),
        "modules": [*modules(static), texts(static, language, settings)],
        "logo": look.logo,
        "token": _sign_in_with(upload_set) == "token",
        "address": upload_set.url("uploads", _external=True),
        "page": body,
    }
    source = (static / "index.html").read_text("utf-8")
    policy = CONTENT_SECURITY_POLICY.format(pictures=look.picture_sources)
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return Response(render_template_string(source, **context), headers=headers)


def element(
    upload_set: BoundUploadSet,
    *,
    title: str | None = None,
    language: str | None = None,
    messages: str | None = None,
    sign_in: str | None = None,
    logo: str | None = None,
    accent: str | None = None,
) -> Markup:
    """Return the element that ``page/main.js`` turns into the page; parameters as above."""
    look = Appearance(upload_set, title=title, logo=logo, accent=accent)
    return _element(upload_set, look, language=language, messages=messages, sign_in=sign_in)


def _element(
    upload_set: BoundUploadSet,
    look: Appearance,
    *,
    language: str | None,
    messages: str | None,
    sign_in: str | None,
) -> Markup:
    if not upload_set.login_required:
        callers.ensure_visitor()  # now, so that uploads sent at once are one visitor's
    attributes = {
        "data-config": json.dumps(configuration(upload_set, look, sign_in=sign_in)),
        "data-messages": messages,
        "lang": language,
    }
    given = ((name, value) for name, value in attributes.items() if value is not None)
    speaks = Path(texts(resource("static"), language, upload_set.settings)).stem
    return Markup('<div class="cu" {}>{}</div>').format(
        Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in given),
        not_loaded.message(speaks),
    )


def part(upload_set: BoundUploadSet, *, nonce: str | None, **options: str | None) -> Markup:
    """Return :func:`element` with its style sheet and script, for a page of the app's own."""
    once = Markup(' nonce="{}"').format(nonce) if nonce else ""
    style = Markup('<link rel="stylesheet" href="{}"{}>')
    script = Markup('<script type="module" src="{}"{}></script>')
    return Markup("\n").join(
        [
            style.format(asset_url(upload_set, "page.css"), once),
            element(upload_set, **options),
            script.format(asset_url(upload_set, "page/main.js"), once),
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


def texts(static: Path, language: str | None, settings: PageSettings) -> str:
    """Return the file of texts that the page will load, so that the browser loads it at once.

    The page itself goes by ``navigator.languages`` (``page/language.js``), which is nearly always
    what the browser sends as Accept-Language.

    :param language: what the app has set; None for the browser's own.
    """
    names = {path.stem for path in (static / "page" / "texts").glob("*.js")}
    if language:
        return _texts_of(language, names)
    offered = names.intersection(map(_primary, settings.page_languages or names))
    asked = map(_primary, request.accept_languages.values())
    found = next((tag for tag in asked if tag in offered), None)
    first = next(iter(settings.page_languages or ("en",)))
    return _texts_of(found or settings.page_language or first, names)


def _texts_of(language: str, names: Collection[str]) -> str:
    tag = _primary(language)
    return f"page/texts/{tag if tag in names else 'en'}.js"


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()


def configuration(
    upload_set: BoundUploadSet, look: Appearance, *, sign_in: str | None
) -> dict[str, Any]:
    """Return the page's configuration: the upload set's URLs and this request's limits."""
    settings = upload_set.settings
    view = upload_set.upload_view(upload_set)
    names = view.field_name or settings.field_name
    max_bytes = view.get_max_bytes(request)
    return {
        **look.configuration(),
        "endpoint": upload_set.url("uploads"),
        "fieldName": names if isinstance(names, str) else names[0],
        "maxBytes": max_bytes,
        "maxChunkBytes": upload_set.max_chunk_bytes,
        "allowedExtensions": settings.allowed_extensions,
        "deniedExtensions": settings.denied_extensions,
        # What is left comes with the account; until then the page shows this in its place.
        "quota": {"bytes": settings.max_open_bytes, "files": settings.max_open_uploads},
        "usage": _usage(upload_set),
        "md5": upload_set.complete_view.do_md5_check,
        "checksum": upload_set.browser_checksum,
        "csrfTokenUrl": upload_set.url("csrf_token") if upload_set.checks_csrf else None,
        "language": settings.page_language,
        "languages": settings.page_languages,
        "account": upload_set.url("account"),
        "expiresAfter": int(settings.expiration_delta.total_seconds()),
        "share": {"maxAge": int(settings.share_max_age.total_seconds())}
        if settings.share
        else None,
        "signIn": {"with": _sign_in_with(upload_set), "url": sign_in},
    }


def _usage(upload_set: BoundUploadSet) -> dict[str, Any] | None:
    """Return where the page asks how much of the caller's limits is used; None for no limits.

    The limits tell it how much room to leave for the answer. An app that decides them by owner may
    not know the owner yet: a token comes with the page's own requests.
    """
    settings = upload_set.settings
    limits = settings.limits(upload_set.caller(request).owner)
    told = {
        "storedBytes": limits.stored_bytes,
        "storedFiles": limits.stored_files,
        "bytesPerDay": limits.bytes_per_day,
    }
    if settings.limits_of is None and not any(most is not None for most in told.values()):
        return None
    return {"url": upload_set.url("quota"), **told}


def _sign_in_with(upload_set: BoundUploadSet) -> str | None:
    """Return how callers authenticate: by a token, by the app, or not at all."""
    if not upload_set.login_required:
        return None
    only_tokens = upload_set.takes_tokens and upload_set.hooks.loads_user is None
    return "token" if only_tokens else "app"
