"""Write docs/settings.md from chunked_upload/settings/keys.py: ``python docs/make_settings.py``."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from chunked_upload.settings.keys import FIELDS, PREFIX

PAGE = Path(__file__).with_name("settings.md")

HEAD = """\
# Settings

Generated from `chunked_upload/settings/keys.py` by `python docs/make_settings.py`; do not edit.

A setting has three names for three places, and the first place that names it wins:

1. `max_bytes=...`: a keyword of one `ChunkedUpload(...)`, for that upload set alone;
2. `app.config["CHUNKED_UPLOAD_MAX_BYTES"]`: for every upload set of an app. Changes at run time are
   followed, except of `CHUNKED_UPLOAD_URL_PREFIX`;
3. the environment variable `CHUNKED_UPLOAD_MAX_BYTES`: for the stand-alone server, which copies it
   into its `app.config`.

An unknown name and a value that cannot work stop the app at its start, with a message that says
what would do. In the environment a number of bytes may be written `512K`, `10G` or `1.5TiB` (powers
of 1024), a span of time `90m` or `1d 12h` (a bare number is seconds), a list with commas, a switch
as `1`/`0`, `true`/`false`, `yes`/`no` or `on`/`off`.

The stand-alone server also reads

- `SECRET_KEY` and `SQLALCHEMY_DATABASE_URI`;
- `HOST`, `PORT`, `WORKERS`, `THREADS` and `GRACE`, see `chunked-upload serve --help`;
- `CHUNKED_UPLOAD_CONFIG`: `development`, `testing`, `production`, or the dotted name of a class;
- `CHUNKED_UPLOAD_INSTANCE`: the folder in which it keeps everything, `instance` by default.
"""


def render() -> str:
    """Return the page."""
    return HEAD + "".join(map(section, FIELDS.values()))


def section(field: dataclasses.Field[Any]) -> str:
    """Return the part about one setting."""
    environment = "" if field.metadata["parse"] else " Not in the environment."
    return (
        f"\n## `{PREFIX}{field.name.upper()}`\n\n"
        f"{field.metadata['meaning']}{environment}\n\n"
        f"Default: `{shown(field)}`\n"
    )


def shown(field: dataclasses.Field[Any]) -> str:
    """Return a default as one would write it."""
    value = field.default
    if isinstance(value, timedelta):
        return f"timedelta(days={value.days})"
    if field.name.endswith("_mode"):
        return f"0o{value:o}"
    return repr(value)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
