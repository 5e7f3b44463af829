"""Every ``CHUNKED_UPLOAD_*`` key, once: its type, default, meaning and check.

:class:`Settings` is the whole list. A field named ``max_bytes`` is the key
``CHUNKED_UPLOAD_MAX_BYTES`` in ``app.config``, the environment variable of the same name for the
stand-alone server, and the keyword ``max_bytes=`` of one :class:`~chunked_upload.ChunkedUpload`.
Nothing is read at import time; ``docs/settings.md`` is made from this module.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chunked_upload.errors import ConfigurationError

from .text import parse_bool, parse_duration, parse_list, parse_mode, parse_size, parse_tokens

PREFIX = "CHUNKED_UPLOAD_"

#: RFC 6454 6.2, as browsers serialise it; international names are in Punycode.
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
)


def _positive(value: Any) -> str | None:
    if callable(value):
        return None
    return None if _number(value) and value > 0 else "must be a positive number"


def _not_negative(value: Any) -> str | None:
    return None if _number(value) and value >= 0 else "must be a number, 0 or more"


def _mode(value: Any) -> str | None:
    fits = _number(value) and 0 <= value <= 0o7777
    return None if fits else "must be a file mode, as 0o640"


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _names(value: Any) -> str | None:
    strings = isinstance(value, tuple) and all(isinstance(v, str) and v for v in value)
    return None if strings else "must be a name or several names"


def _some_names(value: Any) -> str | None:
    return _names(value) if value else "must be at least one name"


def _origins(value: Any) -> str | None:
    problem = _names(value)
    for origin in () if problem else value:
        if origin in ("*", "null"):
            return f"must name the origins; {origin!r} would let any page act for its visitors"
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            return (
                "must hold origins as browsers send them, scheme://host or scheme://host:port, in"
                " lower case, without path or slash at the end"
            )
        if (match["scheme"], match["port"]) in (("https", "443"), ("http", "80")):
            return f"must hold origins as browsers send them, without the port {match['port']}"
    return problem


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


def _duration(value: Any) -> str | None:
    return None if isinstance(value, timedelta) else "must be a timedelta"


def _url_prefix(value: Any) -> str | None:
    fits = isinstance(value, str) and re.fullmatch(r"(/[^/\s]+)+", value)
    return None if fits else "must begin with a slash and not end with one, as /uploads"


def _inside_root(value: Any) -> str | None:
    parts = [part for part in value.split("/") if part not in ("", ".")]
    if value.startswith("/") or ".." in parts or "\0" in value:
        return "must be a relative path that stays inside the root, as files/%Y/%m/%d"
    if parts[:1] == [".incoming"]:
        return "must not be where unfinished uploads lie"
    return None


def _tokens(value: Any) -> str | None:
    for name, digest in value.items():
        if not name or not re.fullmatch(r"[0-9a-f]{64}", digest):
            return "must map names to SHA-256 hex digests; `create-token NAME` makes one"
    return None


def _setting(
    default: Any,
    meaning: str,
    parse: Callable[[str], Any] | None = str,
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """One key. ``parse`` reads it from the environment (None: only from Python)."""
    return field(default=default, metadata={"meaning": meaning, "parse": parse, "check": check})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one upload set. Make it with :meth:`load`, which checks every value."""

    # Ported from django-chunked-upload, with its defaults.
    expiration_delta: timedelta = _setting(
        timedelta(days=1),
        "How long an unfinished upload lives after its last chunk.",
        parse_duration,
        _duration,
    )
    path: str = _setting(
        "chunked_uploads/%Y/%m/%d",
        "Where completed files go, below the root: a strftime pattern of the day (UTC) on which "
        "the upload began.",
        check=_inside_root,
    )
    storage_class: Any = _setting(
        None, "The storage: a class or its dotted name. None: what `CHUNKED_UPLOAD_STORAGE` says."
    )
    abstract_model: bool = _setting(
        True,
        "True: the built-in model's table exists only when no model of your own is given. "
        "False: it exists in any case.",
        parse_bool,
    )
    encoder: Any = _setting(
        None, "Function that turns the answer's dict into JSON text. None: the built-in one.", None
    )
    content_type: str = _setting("application/json", "Content-Type of the JSON answers.")
    mimetype: str | None = _setting(
        None, "Deprecated name of CHUNKED_UPLOAD_CONTENT_TYPE; used when set."
    )
    max_bytes: Any = _setting(
        None,
        "Largest file in bytes, or a function of the request that returns it. None: no limit.",
        parse_size,
        _positive,
    )
    # Where and how.
    url_prefix: str = _setting("/uploads", "Where the endpoints are.", str, _url_prefix)
    storage: str | None = _setting(
        None,
        "The storage by its URL, as `file:///srv/uploads`. None: the local disk, in "
        "`CHUNKED_UPLOAD_ROOT`.",
    )
    root: str | None = _setting(
        None, "Directory that holds all bytes. None: `uploads` in the app's instance folder."
    )
    durable: bool = _setting(
        True,
        "True: a chunk is on stable storage before it is acknowledged. False: faster; a power cut "
        "(not a crash of the server) may lose acknowledged bytes.",
        parse_bool,
    )
    md5: bool = _setting(
        True,
        "True: every byte goes into an MD5 as it arrives, and completing needs the client's. "
        "False: neither, for more speed; completed uploads have `md5: null`. A client that sends "
        "one all the same has it checked, for which the file is read.",
        parse_bool,
    )
    checksums: tuple[str, ...] = _setting(
        ("md5",),
        "Checksums that are computed as the bytes arrive: `md5`, `sha256`, or both. Completing "
        "needs one of them from the client. `CHUNKED_UPLOAD_MD5=False` takes `md5` out.",
        parse_list,
        _names,
    )
    file_mode: int = _setting(
        0o640,
        "Permissions of files, whatever the umask (octal in the environment).",
        parse_mode,
        _mode,
    )
    directory_mode: int = _setting(
        0o750, "Permissions of directories, whatever the umask.", parse_mode, _mode
    )
    field_name: tuple[str, ...] = _setting(
        ("file", "files[]"),
        "Name, or names, of the form field with the chunk.",
        parse_list,
        _some_names,
    )
    # Limits; None is none.
    max_chunk_bytes: int | None = _setting(
        None, "Largest single chunk in bytes.", parse_size, _positive
    )
    max_open_uploads: int | None = _setting(
        None, "Unfinished uploads that one owner may have.", int, _positive
    )
    max_open_bytes: int | None = _setting(
        None, "Bytes that one owner's unfinished uploads may declare in all.", parse_size, _positive
    )
    max_filename_length: int = _setting(
        255, "Longest client file name in characters (255 at most).", int, _positive
    )
    max_metadata_fields: int = _setting(
        32, "Extra form fields kept with an upload.", int, _positive
    )
    max_metadata_bytes: int = _setting(
        16384, "Bytes of extra form fields, names and values.", parse_size, _positive
    )
    allowed_extensions: tuple[str, ...] | None = _setting(
        None, "The only file extensions taken, as jpg,png.", parse_list, _names
    )
    denied_extensions: tuple[str, ...] = _setting(
        (), "File extensions refused.", parse_list, _names
    )
    page_size: int = _setting(50, "Uploads on one page of the list.", int, _positive)
    # Plain forms.
    max_form_files: int = _setting(100, "Files in one plain form.", int, _positive)
    form_redirect: str | None = _setting(
        None,
        "Where a browser goes after a plain form: an endpoint's name, a path or a URL. The form's "
        "field `next` wins, if it is a path. None, and no `next`: the answer is JSON.",
    )
    form_flash: bool = _setting(
        True,
        "Whether to flash what became of a plain form, for the page it goes to.",
        parse_bool,
        _switch,
    )
    dropzone: Mapping[str, Any] | None = _setting(
        None,
        "Defaults of the template helper's options, as {'max_files': 3}.",
        None,
    )
    # Who may.
    tokens: Mapping[str, str] | None = _setting(
        None,
        "API tokens: name to SHA-256 hex of the token. With any, a Bearer token is required.",
        parse_tokens,
        _tokens,
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        "Origins of other sites whose pages may use the service from browsers, as "
        "https://app.example.org: exact, without path, slash or wildcard. They may send the "
        "session's cookie.",
        parse_list,
        _origins,
    )
    csrf: bool | None = _setting(
        None,
        "Whether requests that change something need a CSRF token of Flask-WTF (the extra `csrf`). "
        "None: when the app uses Flask-WTF's CSRFProtect.",
        parse_bool,
        _switch,
    )

    # The stand-alone server only.
    database_uri: str | None = _setting(
        None,
        "Database of the stand-alone server, as postgresql://user@host/name. "
        "None: SQLALCHEMY_DATABASE_URI, else an SQLite file in the instance folder.",
    )
    proxy_hops: int = _setting(
        0,
        "How many reverse proxies stand before the stand-alone server: that many X-Forwarded-* "
        "entries are believed.",
        int,
        _not_negative,
    )

    @property
    def kept_checksums(self) -> tuple[str, ...]:
        """The names of the checksums that are computed as the bytes arrive."""
        return tuple(name for name in self.checksums if name != "md5" or self.md5)

    @classmethod
    def load(cls, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> Settings:
        """Build from ``app.config`` and one upload set's keywords, the keywords winning.

        :raises ConfigurationError: naming the key, the value and what would do.
        """
        unknown = set(overrides) - set(FIELDS)
        if unknown:
            raise ConfigurationError(
                f"unknown setting(s) {sorted(unknown)}; known are {sorted(FIELDS)}"
            )
        values = {}
        for name in FIELDS:
            if name in overrides:
                values[name] = overrides[name]
            elif PREFIX + name.upper() in config:
                values[name] = config[PREFIX + name.upper()]
        return cls(**{name: _checked(name, value) for name, value in values.items()})


FIELDS: dict[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(Settings)}
KEYS = tuple(PREFIX + name.upper() for name in FIELDS)


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``CHUNKED_UPLOAD_*`` keys found in the environment, each read as its type.

    :raises ConfigurationError: for a value that cannot be read.
    """
    found = {}
    for name, spec in FIELDS.items():
        key, parse = PREFIX + name.upper(), spec.metadata["parse"]
        if key in environ and parse is not None:
            try:
                found[key] = parse(environ[key])
            except ValueError as error:
                raise ConfigurationError(f"{key}={environ[key]!r}: {error}") from error
    return found


def _checked(name: str, value: Any) -> Any:
    """Normalise lists, then let the field's own check speak."""
    spec = FIELDS[name]
    if spec.metadata["check"] in (_names, _some_names, _origins) and value is not None:
        value = (value,) if isinstance(value, str) else tuple(_strings(value))
    if spec.metadata["check"] is None or (value is None and spec.default is None):
        return value
    try:
        problem = spec.metadata["check"](value)
    except (AttributeError, TypeError):
        problem = "is of the wrong type"
    if problem:
        raise ConfigurationError(f"{PREFIX}{name.upper()} {problem}, not {value!r}")
    return value


def _strings(value: Any) -> Iterable[str]:
    return value if isinstance(value, Iterable) else (value,)
