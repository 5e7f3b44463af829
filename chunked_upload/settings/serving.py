"""Settings about finished files: who may read them, how browsers show them, and who sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from . import fields, names
from .schema import setting

_PUBLIC_URL = r"(?:(?:https?:)?//[^\s?#/]+|/(?!/))[^\s?#]*"
_INTERNAL_PATH = r"/(?!/)[^\s?#%]*"

#: What browsers run as a page of the site, or as its script.
_ACTIVE = re.compile(r"text/(?:html|xml|xsl|.*script)|application/(?:.*script|xml|.*\+xml)")


class MediaTypes(names.Names):
    """Media types that browsers may show, as ``image/png`` or ``image/*``."""

    def read_name(self, name: str) -> str:
        plain = name.strip().lower()
        if not re.fullmatch(r"(?:image|audio|video|text|application)/(?:\*|[\w.+-]+)", plain):
            raise ValueError("must hold media types, as image/png or video/*")
        if plain in ("text/*", "application/*") or _ACTIVE.fullmatch(plain):
            raise ValueError(
                f"must not hold {plain}: a stranger's file would run in your visitors' browsers"
            )
        return plain


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """The settings of one upload set about its finished files."""

    public_files: bool = setting(
        fields.Switch(),
        "True: everybody may read the finished files, by id and by name, as in a Flask-Uploads "
        "set. False: the upload set's rules about callers hold; without accounts, a file is found "
        "by its name only in the browser that sent it.",
        default=False,
    )
    inline_types: tuple[str, ...] = setting(
        MediaTypes(),
        "Media types that browsers may show when a file is asked for by its name, as `image/png` "
        "or `image/*`; others are downloaded. They follow from the name's extension. HTML and "
        "scripts are refused; SVG is shown only if `image/svg+xml` is named, in a sandbox.",
        default=("image/*", "audio/*", "video/*", "application/pdf"),
    )
    public_url: str | None = setting(
        fields.Text(
            pattern=_PUBLIC_URL,
            problem="must be a URL or a path, as https://cdn.example.org/photos/",
        ),
        "Where a front server or CDN offers the upload set's root; `url()` points there. "
        "None: to the app.",
        default=None,
    )
    redirect_files: timedelta | None = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "Send browsers to the storage for finished files that are downloaded, by a URL that holds "
        "this long, if the storage can make such URLs (S3). Whoever has the URL can read the file "
        "meanwhile. None: the service sends files.",
        default=None,
    )
    x_accel_redirect: str | None = setting(
        fields.Text(
            pattern=_INTERNAL_PATH, problem="must be the path of an internal location, as /files/"
        ),
        "Internal location in which nginx finds the upload set's root. Finished files are then "
        "sent by nginx, not by the app. None: by the app.",
        default=None,
    )
    x_sendfile: bool = setting(
        fields.Switch(),
        "True: Apache's mod_xsendfile or lighttpd sends finished files, not the app. Flask's "
        "`USE_X_SENDFILE` does the same.",
        default=False,
    )
    share: bool = setting(
        fields.Switch(),
        "True: an upload's owner may make links by which everybody can download the completed "
        "file, until a link expires or its owner revokes it (docs/protocol.md). It takes the app's "
        "`SECRET_KEY` and a table, `chunked_upload_share`.",
        default=False,
    )
    share_max_age: timedelta = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "How long such a link works at most, and if its owner asks for no shorter time.",
        default=timedelta(days=7),
    )
