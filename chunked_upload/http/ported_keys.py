"""Keys of other packages that an app may still have in its config, and that would have no effect.

Somebody who moves here from Flask-Uploads or Flask-Dropzone relies on them: on a limit, on a check.
Where the other package itself is in use, its keys are its own business.
"""

from __future__ import annotations

import re
import sys

from flask import Flask

from chunked_upload.errors import ConfigurationError

#: What makes an app's upload sets, and when.
_CALL = "configure_uploads(app, ...), called before ChunkedUpload(app)"

#: Flask-Uploads': ``UPLOADED_<SET>_DEST`` and so on, and the setting that does the same here.
_UPLOADS = re.compile(
    r"(?:UPLOADED_(?P<set>\w+)|UPLOADS_DEFAULT)_(?P<what>DEST|URL|ALLOW|DENY)|UPLOADS_(?P<own>AUTOSERVE)"
)
_INSTEAD = {
    "DEST": "root= or CHUNKED_UPLOAD_ROOT",
    "URL": "url_prefix= or CHUNKED_UPLOAD_URL_PREFIX",
    "ALLOW": "allowed_extensions= or CHUNKED_UPLOAD_ALLOWED_EXTENSIONS",
    "DENY": "denied_extensions= or CHUNKED_UPLOAD_DENIED_EXTENSIONS",
    "AUTOSERVE": "nothing; an upload set serves its files at <url_prefix>/<upload_id>/file",
}


def refuse_without_effect(app: Flask, *, checks_csrf: bool) -> None:
    """Refuse keys that would have no effect.

    :param checks_csrf: whether the upload set asks for CSRF tokens.
    :raises ConfigurationError: naming the key, and the setting to use.
    """
    # In tests apps often switch every CSRF check off.
    wanted = app.config.get("DROPZONE_ENABLE_CSRF") and app.config.get("WTF_CSRF_ENABLED", True)
    if wanted and not checks_csrf and "dropzone" not in app.extensions:
        raise ConfigurationError(
            "DROPZONE_ENABLE_CSRF is set, but no CSRF token would be checked; set"
            " CHUNKED_UPLOAD_CSRF = True, or call CSRFProtect(app) before ChunkedUpload(app)"
        )


def refuse_flask_uploads(app: Flask) -> None:
    """Refuse Flask-Uploads' keys for upload sets that the app does not have.

    :raises ConfigurationError: naming the key, and what to write.
    """
    if "flask_uploads" in sys.modules:
        return
    upload_sets = app.extensions.get("chunked_upload", {}).values()
    named = {one.name.upper() for one in upload_sets if one.extension.reads_uploaded_keys}
    for key in sorted(app.config):
        found = _UPLOADS.fullmatch(key)
        if found and not (found["set"] in named if found["set"] else named):
            raise ConfigurationError(
                f"{key} is a setting of Flask-Uploads and has no effect here; use"
                f" {_INSTEAD[found['what'] or found['own']]}, or an UploadSet of that name in"
                f" {_CALL} (docs/porting-flask-uploads.md)"
            )
