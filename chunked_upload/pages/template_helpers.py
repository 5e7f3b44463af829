"""The template helper ``chunked_upload``: Dropzone's upload zones over our own transport, and the
ready-made page (upload_page.py).

    {{ chunked_upload.head() }}
    {{ chunked_upload.dropzone(max_files=3, redirect_view="thanks") }}

There is no inline script: a zone's options are JSON in an attribute, read by the module
``chunked-upload-dropzone.js``. So any Content-Security-Policy with ``script-src 'self'``, or with a
nonce, works, and no text of an app can break out of its attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from markupsafe import Markup

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.access import csrf
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.support.package_data import resource

from . import upload_page
from .zone import Zone, elsewhere, upload_set_as_target
from .zone_options import ZoneOptions


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
        target = upload_set_as_target(uploads)
        zone = ZoneOptions.load(options, target.defaults, ported)
        if zone.upload_action is not None:
            target = elsewhere(target, zone.upload_action)
        return Zone(target, zone).element()

    def page(
        self, *, nonce: str | None = None, upload_set: str | None = None, **options: str | None
    ) -> Markup:
        """Return the ready-made page as a part of this one, with its style sheet and script.

        :param options: ``title``, ``language``, ``messages``, ``sign_in``, ``logo``, ``accent``, as
            :meth:`chunked_upload.ChunkedUpload.page` has them; there is no heading without a title.
        """
        return upload_page.part(self._upload_set(upload_set), nonce=nonce, **options)

    def csrf_token(self, *, upload_set: str | None = None) -> str:
        """Return a CSRF token for a form or script of your own; empty when none is needed."""
        return csrf.new_token() if self._upload_set(upload_set).checks_csrf else ""

    def _upload_set(self, name: str | None) -> BoundUploadSet:
        return find_upload_set(self._upload_sets, name)


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
