"""Write docs/settings.md from chunked_upload/settings/keys.py: ``python docs/make_settings.py``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from chunked_upload.http.dialect import registered as registered_dialects
from chunked_upload.settings.keys import SPECS, Settings
from chunked_upload.settings.schema import Spec, specs
from chunked_upload.settings.sources import PREFIX
from chunked_upload.storage.registry import registered as registered_storages

PAGE = Path(__file__).with_name("settings.md")

HEAD = """\
# Settings

Generated from `chunked_upload/settings/keys.py` by `python docs/make_settings.py`; do not edit.

A setting has three names for three places, and the first place that names it wins:

1. `max_bytes=...`: a keyword of one `ChunkedUpload(...)`, for that upload set alone;
2. `app.config["CHUNKED_UPLOAD_MAX_BYTES"]`: for every upload set of an app. Flask's
   `app.config.from_prefixed_env()` puts `FLASK_CHUNKED_UPLOAD_MAX_BYTES` there;
3. the environment variable `CHUNKED_UPLOAD_MAX_BYTES`: for the stand-alone server, which copies it
   into its `app.config`.

Settings are read and checked once, when `ChunkedUpload(app)` or `init_app(app)` is called. A later
change of `app.config` has no effect.

An unknown name and a value that cannot work stop the app at its start, with a message that says
what to write instead. All three places read text and Python values in the same way. As text, a
number of bytes may be `512K`, `10G` or `1.5TiB` (powers of 1024), a span of time `90m` or `1d 12h`
(a bare number is seconds). A list has commas, a switch is `1`/`0`, `true`/`false`, `yes`/`no` or
`on`/`off`, a file mode is octal as `640`, a class or function is its dotted name.

Flask's `MAX_CONTENT_LENGTH` holds for every request: a larger one is answered 413. It limits a
chunk, not a file; that is `CHUNKED_UPLOAD_MAX_BYTES`. The upload page and the zones keep their
chunks below it. Keys of Flask-Uploads (`UPLOADED_PHOTOS_DEST`) hold where the app has that
`UploadSet` ([porting-flask-uploads.md](porting-flask-uploads.md)). Elsewhere they would have no
effect and stop the app at its start, as `DROPZONE_ENABLE_CSRF` does where no token would be
checked.

The stand-alone server also reads

- `SECRET_KEY` and `SQLALCHEMY_DATABASE_URI`;
- `HOST`, `PORT`, `WORKERS`, `THREADS` and `GRACE`, see `chunked-upload serve --help`;
- `CHUNKED_UPLOAD_CONFIG`: `development`, `testing`, `production`, or the dotted name of a class;
- `CHUNKED_UPLOAD_INSTANCE`: the folder in which it keeps everything, `instance` by default.
"""


def render() -> str:
    """Return the page."""
    # Those that it inherits are of more special things.
    first = [spec for name, spec in SPECS.items() if name in Settings.__annotations__]
    then = [spec for spec in SPECS.values() if spec not in first]
    return HEAD + "".join(map(section, first + then)) + of_others()


def section(spec: Spec) -> str:
    """Return the part about one setting."""
    return (
        f"\n## `{PREFIX}{spec.name.upper()}`\n\n{spec.metadata['meaning']}\n\n"
        f"Default: `{shown(spec)}`\n"
    )


def of_others() -> str:
    """Return the parts about settings that storages and dialects have of their own."""
    storages = {kind.__name__: kind.settings for kind in registered_storages().values()}
    dialects = {kind.__name__: kind.settings for kind in registered_dialects().values()}
    return "".join(
        f"\n# Settings of `{name}`\n" + "".join(map(section, specs(settings).values()))
        for name, settings in (storages | dialects).items()
        if settings is not None
    )


def shown(spec: Spec) -> str:
    """Return a default as one would write it."""
    value = spec.default
    if isinstance(value, timedelta):
        seconds = f"seconds={value.seconds}" if value.seconds else ""
        days = f"days={value.days}" if value.days or not seconds else ""
        return f"timedelta({', '.join(filter(None, (days, seconds)))})"
    if spec.name.endswith("_mode"):
        return f"0o{value:o}"
    return repr(value)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
