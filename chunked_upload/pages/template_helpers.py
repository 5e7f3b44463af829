"""The template helper ``chunked_upload``: Dropzone's upload zones over our own transport, and the
ready-made page (upload_page.py).

    {{ chunked_upload.head() }}
    {{ chunked_upload.dropzone(max_files=3, redirect_view="thanks") }}

There is no inline script: a zone's options are JSON in an attribute, read by the module
``chunked-upload-dropzone.js``. So any Content-Security-Policy with ``script-src 'self'``, or with a
nonce, works, and no text of an app can break out of its attribute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from flask import Flask, url_for
from markupsafe import Markup

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.access import callers, csrf
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.support.package_data import resource

from . import upload_page
from .zone_options import ZoneOptions

_ZONE = Markup(
    '<form class="dropzone chunked-upload-zone"{id} action="{action}" method="post"'
    ' enctype="multipart/form-data" data-chunked-upload="{options}"><noscript>{fields}'
    '<input type="file" name="{name}"{multiple}{accept}> <button>{button}</button>'
    "</noscript></form>"
)
_ZONE_IN_FORM = Markup(
    '<div class="dropzone chunked-upload-zone"{id} data-chunked-upload="{options}">'
    "<noscript>{unsupported}</noscript></div>"
)
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')

#: Bytes of the module's chunks where nothing says otherwise.
_CHUNK_SIZE = 8 * 2**20

#: The option of a text, and its name in the module.
_TEXTS = {
    "default_message": "dictDefaultMessage",
    "invalid_file_type": "dictInvalidFileType",
    "file_too_big": "dictFileTooBig",
    "server_error": "dictResponseError",
    "browser_unsupported": "dictFallbackMessage",
    "max_file_exceeded": "dictMaxFilesExceeded",
    "cancel_upload": "dictCancelUpload",
    "remove_file": "dictRemoveFile",
    "cancel_confirmation": "dictCancelUploadConfirmation",
    "upload_canceled": "dictUploadCanceled",
    "waiting_network": "waitingNetwork",
    "waiting_server": "waitingServer",
    "waiting_sign_in": "waitingSignIn",
    "waiting_other_tab": "waitingOtherTab",
    "file_changed": "fileChanged",
    "checksum_error": "checksumError",
    "retry": "retry",
}


class TemplateHelpers:
    """The helpers of one app's templates.

    :param upload_sets: the app's upload sets by name. A helper's ``upload_set`` chooses one; it
    may be left out if there is only one, or one has the default name.
    """

    def __init__(self, app: Flask, upload_sets: Mapping[str, BoundUploadSet]) -> None:
        self._app = app
        self._upload_sets = upload_sets

    def head(self, *, nonce: str | None = None, upload_set: str | None = None) -> Markup:
        """Return the tags for a page's head: Dropzone's styles, and the module.

        :param nonce: for policies that ask for one on every script and style.
        :raises RuntimeError: when Dropzone has not been built into the static folder.
        """
        if not (resource("static") / "vendor" / "dropzone.min.js").is_file():
            raise RuntimeError("Dropzone is not there; `make vendor` fetches it from npm")
        uploads = self._upload_set(upload_set)
        once = Markup(' nonce="{}"').format(nonce) if nonce else ""
        style = Markup('<link rel="stylesheet" href="{}"{}>')
        script = Markup('<script type="module" src="{}"{}></script>')
        return Markup("\n").join(
            tag.format(uploads.url("static", filename=name), once)
            for tag, name in (
                (style, "vendor/dropzone.min.css"),
                (style, "chunked-upload-dropzone.css"),
                (script, "chunked-upload-dropzone.js"),
            )
        )

    def dropzone(self, *, upload_set: str | None = None, **options: Any) -> Markup:
        """Return an upload zone. The options are
        :class:`~chunked_upload.pages.zone_options.ZoneOptions`.

        :raises ConfigurationError: for an option that cannot work.
        """
        uploads = self._upload_set(upload_set)
        # Where Flask-Dropzone itself is in the app, its keys are its own.
        ported = {} if "dropzone" in self._app.extensions else self._app.config
        zone = ZoneOptions.load(options, uploads.settings.dropzone, ported)
        if not uploads.login_required:
            callers.ensure_visitor()  # now, so that files sent at once are one visitor's
        accept = zone.allowed_file_type or _extensions(uploads)
        parts = {
            "id": Markup(' id="{}"').format(zone.id) if zone.id else "",
            "options": json.dumps(self._for_module(uploads, zone, accept), sort_keys=True),
        }
        if zone.in_form:
            return _ZONE_IN_FORM.format(unsupported=str(zone.browser_unsupported), **parts)
        return _ZONE.format(
            action=_form_action(uploads, zone),
            fields=self._fields(uploads),
            name=_field_name(uploads, zone),
            multiple="" if zone.max_files == 1 else Markup(" multiple"),
            accept=Markup(' accept="{}"').format(accept) if accept else "",
            button=str(zone.upload_button),
            **parts,
        )

    def page(
        self, *, nonce: str | None = None, upload_set: str | None = None, **options: str | None
    ) -> Markup:
        """Return the ready-made page as a part of this one, with its style sheet and script.

        :param options: ``title``, ``language``, ``messages``, ``sign_in``, as
            :meth:`chunked_upload.ChunkedUpload.page` has them; there is no heading without a title.
        """
        return upload_page.part(self._upload_set(upload_set), nonce=nonce, **options)

    def csrf_token(self, *, upload_set: str | None = None) -> str:
        """Return a CSRF token for a form or script of your own; empty when none is needed."""
        return csrf.new_token() if self._upload_set(upload_set).checks_csrf else ""

    def _upload_set(self, name: str | None) -> BoundUploadSet:
        return find_upload_set(self._upload_sets, name)

    def _fields(self, upload_set: BoundUploadSet) -> Markup:
        """Return the hidden fields of the form where scripts are off."""
        return (
            _HIDDEN.format("csrf_token", csrf.new_token()) if upload_set.checks_csrf else Markup("")
        )

    def _for_module(
        self, upload_set: BoundUploadSet, zone: ZoneOptions, accept: str | None
    ) -> dict[str, Any]:
        """Return what chunked-upload-dropzone.js takes (its typedef ``ZoneOptions``)."""
        limit = upload_set.settings.max_bytes
        return {
            **_service(upload_set, zone),
            "fieldName": _field_name(upload_set, zone),
            "maxBytes": zone.max_file_size or (limit if isinstance(limit, int) else None),
            "maxFiles": zone.max_files,
            "accept": accept,
            "parallel": zone.parallel_uploads,
            "timeout": zone.timeout,
            "chunkSize": _chunk_size(upload_set, zone),
            "resume": zone.resume,
            "md5": zone.md5,
            "checksum": upload_set.browser_checksum,
            "metadata": zone.metadata or {},
            "thumbnails": zone.thumbnails,
            "removeLinks": zone.remove_links,
            "redirect": _url(zone.redirect_view),
            "button": zone.upload_btn_id if zone.upload_on_click else None,
            "inForm": zone.in_form,
            "uploadIdName": zone.upload_id_name,
            "texts": {name: str(getattr(zone, option)) for option, name in _TEXTS.items()},
        }


def find_upload_set(upload_sets: Mapping[str, BoundUploadSet], name: str | None) -> BoundUploadSet:
    """Return an upload set by its name; for None the only one, or the one with the default name.

    :raises ConfigurationError: when there is none.
    """
    if name is None:
        name = next(iter(upload_sets)) if len(upload_sets) == 1 else "chunked_upload"
    if name not in upload_sets:
        raise ConfigurationError(
            f"this app has no upload set named {name!r}; upload_set= must be one of"
            f" {sorted(upload_sets)}"
        )
    return upload_sets[name]


def _chunk_size(upload_set: BoundUploadSet, zone: ZoneOptions) -> int | None:
    """Return the bytes of a zone's chunks; None leaves it to the module."""
    limit = upload_set.max_chunk_bytes
    if limit is None or zone.upload_action is not None:
        return zone.chunk_size
    return min(zone.chunk_size or _CHUNK_SIZE, limit)


def _service(upload_set: BoundUploadSet, zone: ZoneOptions) -> dict[str, Any]:
    """Return where the service is, and how to get its CSRF tokens."""
    if zone.upload_action is not None:
        endpoint = f"{str(_url(zone.upload_action)).rstrip('/')}/"
        tokens, token = urljoin(endpoint, "csrf-token"), None
    else:
        endpoint = upload_set.url("uploads")
        needed = upload_set.checks_csrf
        tokens, token = upload_set.url("csrf_token"), csrf.new_token() if needed else ""
    return {"endpoint": endpoint, "csrfToken": token, "csrfTokenUrl": tokens}


def _form_action(upload_set: BoundUploadSet, zone: ZoneOptions) -> str:
    if zone.upload_action is None:
        return upload_set.url("form")
    return urljoin(f"{str(_url(zone.upload_action)).rstrip('/')}/", "form")


def _url(target: str | None) -> str | None:
    """Return the URL of an endpoint; return a path or URL unchanged."""
    if target is None or "/" in target:
        return target
    return url_for(target)


def _field_name(upload_set: BoundUploadSet, zone: ZoneOptions) -> str:
    names: tuple[str, ...] = upload_set.upload_view(upload_set).form_limits().field_names
    if zone.input_name is None:
        return names[0]
    if zone.upload_action is None and zone.input_name not in names:
        raise ConfigurationError(
            f"dropzone(input_name={zone.input_name!r}): the upload set takes files in {names}"
            " (CHUNKED_UPLOAD_FIELD_NAME)"
        )
    return zone.input_name


def _extensions(upload_set: BoundUploadSet) -> str | None:
    allowed = upload_set.settings.allowed_extensions
    return None if allowed is None else ",".join(f".{suffix}" for suffix in allowed)
