"""Keys of other packages that an app may still have in its config, and that would have no effect.

Somebody who moves here from Flask-Uploads or Flask-Dropzone relies on them: on a limit, on a check.
Where the other package itself is in use, its keys are its own business.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask

from chunked_upload.errors import ConfigurationError

#: Flask-Uploads': ``UPLOADED_<SET>_DEST`` and so on, and the setting that does the same here.
_UPLOADS = re.compile(r"(?:UPLOADED_\w+|UPLOADS_DEFAULT)_(DEST|URL|ALLOW|DENY)|UPLOADS_(AUTOSERVE)")
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
    if "flask_uploads" not in sys.modules:
        _refuse_flask_uploads(app.config)
    # In tests apps often switch every CSRF check off.
    wanted = app.config.get("DROPZONE_ENABLE_CSRF") and app.config.get("WTF_CSRF_ENABLED", True)
    if wanted and not checks_csrf and "dropzone" not in app.extensions:
        raise ConfigurationError(
            "DROPZONE_ENABLE_CSRF is set, but no CSRF token would be checked; set"
            " CHUNKED_UPLOAD_CSRF = True, or call CSRFProtect(app) before ChunkedUpload(app)"
        )


def _refuse_flask_uploads(config: Mapping[str, Any]) -> None:
    for key in sorted(config):
        found = _UPLOADS.fullmatch(key)
        if found:
            raise ConfigurationError(
                f"{key} is a setting of Flask-Uploads and has no effect here; use"
                f" {_INSTEAD[found[1] or found[2]]} (docs/porting.md)"
            )
