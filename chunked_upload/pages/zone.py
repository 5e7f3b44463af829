"""One upload zone as HTML: its element, its options for the script, its controls without scripts.

The options are JSON in an attribute, so that a page needs no inline script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin

from flask import current_app, url_for
from markupsafe import Markup

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.access import callers, csrf
from chunked_upload.http.dialects.form import LOCAL_PATH, NEXT_FIELD
from chunked_upload.http.upload_set import BoundUploadSet

from . import not_loaded
from .zone_options import TEXTS, DefaultText, ZoneOptions

_FORM = Markup(
    '<form class="dropzone chunked-upload-zone"{id} action="{action}" method="post"'
    ' enctype="multipart/form-data" data-chunked-upload="{options}">{controls}{waiting}</form>'
)
_PART_OF_A_FORM = Markup(
    '<div class="dropzone chunked-upload-zone"{id} data-chunked-upload="{options}">'
    "<noscript>{unsupported}</noscript>{waiting}</div>"
)
_CONTROLS = Markup(
    '<noscript>{fields}<input type="file" name="{name}"{multiple}{accept}{form}>'
    " <button{form}>{button}</button></noscript>"
)
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}"{}>')

#: Bytes of the script's chunks where nothing says otherwise.
_CHUNK_SIZE = 8 * 2**20


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a zone's files go.

    :param url: takes the script's requests.
    :param form_action: takes the form of a page without scripts.
    :param csrf_token: empty when none is needed; None: the script asks ``csrf_token_url``.
    :param field_names: the form fields that it takes files in; empty when not known.
    :param max_bytes: its limit of a file; None when there is none, or it is not known.
    :param accept: the file types that it takes, as in ``<input accept>``; None for all.
    :param max_chunk_bytes: its limit of a chunk.
    :param checksum: the checksum that the script computes.
    :param takes_chunks: False when Dropzone sends its files itself, each in one request.
    :param defaults: an upload set's options of its zones.
    :param is_own: whether it is an upload set of this app, whose form takes the page to go to next.
    """

    url: str
    form_action: str
    csrf_token: str | None
    csrf_token_url: str | None = None
    field_names: tuple[str, ...] = ()
    max_bytes: int | None = None
    accept: str | None = None
    max_chunk_bytes: int | None = None
    checksum: str = "md5"
    takes_chunks: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)
    is_own: bool = False


def upload_set_as_target(upload_set: BoundUploadSet) -> Target:
    """Return an upload set of this app as a target; the browser gets its visitor's cookie."""
    if not upload_set.login_required:
        callers.ensure_visitor()  # now, so that files sent at once are one visitor's
    limit, allowed = upload_set.settings.max_bytes, upload_set.settings.allowed_extensions
    return Target(
        url=upload_set.url("uploads"),
        form_action=upload_set.url("form"),
        csrf_token=csrf.new_token() if upload_set.checks_csrf else "",
        csrf_token_url=upload_set.url("csrf_token"),
        field_names=upload_set.upload_view(upload_set).form_limits().field_names,
        max_bytes=limit if isinstance(limit, int) else None,
        accept=None if allowed is None else ",".join(f".{suffix}" for suffix in allowed),
        max_chunk_bytes=upload_set.max_chunk_bytes,
        checksum=upload_set.browser_checksum,
        defaults=upload_set.settings.dropzone or {},
        is_own=True,
    )


def elsewhere(target: Target, action: str) -> Target:
    """Return an upload set at another endpoint or URL, with the limits of one of this app."""
    url = f"{resolve(action).rstrip('/')}/"
    return replace(
        target,
        url=url,
        form_action=urljoin(url, "form"),
        csrf_token=None,
        csrf_token_url=urljoin(url, "csrf-token"),
        field_names=target.field_names[:1],
        max_chunk_bytes=None,
        is_own=False,
    )


def view_as_target(url: str) -> Target:
    """Return a view of the app's own, which takes files as Dropzone sends them."""
    own = url.startswith("/") and not url.startswith("//")
    token = csrf.new_token() if own and csrf.is_protected(current_app) else ""
    return Target(url=url, form_action=url, csrf_token=token, takes_chunks=False)


def resolve(target: str) -> str:
    """Return the URL of an endpoint; return a path or URL unchanged."""
    return target if "/" in target else url_for(target)


class Zone:
    """A zone for a page.

    :param multiple: whether Dropzone sends several files in one request.
    """

    def __init__(self, target: Target, options: ZoneOptions, *, multiple: bool = False) -> None:
        self._target = target
        self._options = options
        self._multiple = multiple
        self._accept = options.allowed_file_type or target.accept
        self._redirect = None if options.redirect_view is None else resolve(options.redirect_view)
        self._field_name = self._checked_field_name()

    def element(self, *, with_controls: bool = True) -> Markup:
        """Return the zone's element."""
        options = self._options
        parts = {
            "id": Markup(' id="{}"').format(options.id) if options.id else "",
            "options": self.options_as_json(),
            "waiting": not_loaded.message(),
        }
        if options.in_form:
            return _PART_OF_A_FORM.format(unsupported=str(options.browser_unsupported), **parts)
        controls = self.controls() if with_controls else ""
        return _FORM.format(action=self._target.form_action, controls=controls, **parts)

    def controls(self, *, form: str | None = None) -> Markup:
        """Return the form's controls for browsers without scripts.

        :param form: id of the form, for controls outside of it.
        """
        options, target = self._options, self._target
        if options.in_form:
            return Markup("")
        of = Markup(' form="{}"').format(form) if form else Markup("")
        hidden = {"csrf_token": target.csrf_token, NEXT_FIELD: self._next_page()}
        several = options.max_files != 1 and (target.takes_chunks or self._multiple)
        return _CONTROLS.format(
            fields=Markup("").join(
                _HIDDEN.format(name, value, of) for name, value in hidden.items() if value
            ),
            name=self._field_name,
            multiple=Markup(" multiple") if several else "",
            accept=Markup(' accept="{}"').format(self._accept) if self._accept else "",
            form=of,
            button=str(options.upload_button),
        )

    def options_as_json(self) -> str:
        """Return what chunked-upload-dropzone.js takes (its typedef ``ZoneOptions``)."""
        options, target = self._options, self._target
        texts = {name: getattr(options, option) for option, name in TEXTS.items()}
        content = {
            "endpoint": target.url,
            "csrfToken": target.csrf_token,
            "csrfTokenUrl": target.csrf_token_url,
            "fieldName": self._field_name,
            "maxBytes": options.max_file_size or target.max_bytes,
            "maxFiles": options.max_files,
            "accept": self._accept,
            "parallel": options.parallel_uploads,
            "timeout": options.timeout,
            "chunkSize": self._chunk_size(),
            "resume": options.resume,
            "md5": options.md5,
            "checksum": target.checksum,
            "metadata": options.metadata or {},
            "thumbnails": options.thumbnails,
            "removeLinks": options.remove_links,
            "redirect": self._redirect,
            "button": options.upload_btn_id if options.upload_on_click else None,
            "inForm": options.in_form,
            "uploadIdName": options.upload_id_name,
            "texts": {name: str(text) for name, text in texts.items()},
            "given": [name for name, text in texts.items() if not isinstance(text, DefaultText)],
            "htmlTexts": [name for name, text in texts.items() if isinstance(text, Markup)],
            "whole": not target.takes_chunks,
            "multiple": self._multiple,
            "dropzone": dict(options.options or {}),
        }
        return json.dumps(content, sort_keys=True)

    def _chunk_size(self) -> int | None:
        """Return the bytes of the zone's chunks; None leaves it to the script."""
        wanted, limit = self._options.chunk_size, self._target.max_chunk_bytes
        return wanted if limit is None else min(wanted or _CHUNK_SIZE, limit)

    def _next_page(self) -> str | None:
        """Return the redirect if the form can take it, which follows only paths of its site."""
        page = self._redirect
        fits = page is not None and LOCAL_PATH.fullmatch(page)
        return page if fits and self._target.is_own else None

    def _checked_field_name(self) -> str:
        wanted, names = self._options.input_name, self._target.field_names
        if wanted is None:
            return names[0] if names else "file"
        if self._target.is_own and wanted not in names:
            raise ConfigurationError(
                f"dropzone(input_name={wanted!r}): the upload set takes files in {names}"
                " (CHUNKED_UPLOAD_FIELD_NAME)"
            )
        return wanted
