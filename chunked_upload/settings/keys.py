"""Every ``CHUNKED_UPLOAD_*`` key, once: its type, default, meaning and check.

:class:`Settings` is the whole list. A field named ``max_bytes`` is the key
``CHUNKED_UPLOAD_MAX_BYTES`` in ``app.config``, the environment variable of the same name for the
stand-alone server, and the keyword ``max_bytes=`` of one :class:`~chunked_upload.ChunkedUpload`.
Nothing is read at import time; ``docs/settings.md`` is made from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from . import fields, functions, names
from .callers import CallerSettings
from .limits import LimitSettings
from .operating import OperatingSettings
from .page import PageSettings
from .schema import setting, specs
from .server import ServerSettings
from .serving import ServingSettings
from .sources import PREFIX, Sources

#: Environment variables of the stand-alone server that are not settings of an upload set.
SERVER_VARIABLES = ("CHUNKED_UPLOAD_CONFIG", "CHUNKED_UPLOAD_INSTANCE")

_T = TypeVar("_T")

_MEDIA_TYPE = r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;.*)?"
_MEDIA_TYPE_PROBLEM = "must be a media type, as application/json"
_URL_PREFIX_PROBLEM = "must begin with a slash and not end with one, as /uploads"

#: Browsers take ``.`` and ``..`` out of a path, and what follows ``?`` or ``#`` is not part of it.
_URL_PREFIX = r"(?:/(?!\.\.?(?:/|$))[^/\s?#%<>\\]+)+"


@dataclass(frozen=True, kw_only=True)
class Settings(
    LimitSettings,
    CallerSettings,
    ServingSettings,
    PageSettings,
    OperatingSettings,
    ServerSettings,
):
    """The settings of one upload set. Make it with :meth:`load`, which checks every value."""

    # Ported from django-chunked-upload, with its defaults.
    expiration_delta: timedelta = setting(
        fields.Duration(),
        "How long an unfinished upload lives, counted as `CHUNKED_UPLOAD_EXPIRATION_FROM` says. "
        "The stand-alone server keeps them for 7 days if it is not set.",
        default=timedelta(days=1),
    )
    expiration_from: str = setting(
        fields.Text(
            pattern="last_chunk|creation",
            problem="must be 'last_chunk' or 'creation', as in django-chunked-upload",
        ),
        "From when an upload's expiry counts: `last_chunk`, or `creation` as in "
        "django-chunked-upload. The `expires` of the answers says when it is.",
        default="last_chunk",
    )
    unclaimed_expiration_delta: timedelta | None = setting(
        fields.Duration(),
        "How long a completed upload is kept that no form, no row and no `claim()` of the app "
        "uses, from its completion on. None: forever. Set it only if your app claims the uploads "
        "that it keeps.",
        default=None,
    )
    path: str = setting(
        fields.PathPattern(),
        "Where completed files go, below the root: a strftime pattern of the day (UTC) on "
        "which the upload began.",
        default="chunked_uploads/%Y/%m/%d",
    )
    upload_to: Any = setting(
        functions.UploadTo(),
        "Function of the completed upload's record that returns where its file goes, below the "
        "root: `lambda upload: f'{upload.owner}/{upload.filename}'`, or its dotted name. A path "
        "that ends with a slash gets the client's name. None: `CHUNKED_UPLOAD_PATH`.",
        default=None,
    )
    number_names: bool = setting(
        fields.Switch(),
        "What a completed file is called when its name is taken. False: its upload's id is "
        "added. True: the next of `name_1.ext`, `name_2.ext` that is free, as in Flask-Uploads.",
        default=False,
    )
    storage_class: Any = setting(
        fields.Imported(what="a subclass of chunked_upload.Storage"),
        "The storage: a class or its dotted name. None: what `CHUNKED_UPLOAD_STORAGE` says.",
        default=None,
    )
    abstract_model: bool = setting(
        fields.Switch(),
        "True: the built-in model's table exists only when no model of your own is given. "
        "False: it exists in any case.",
        default=True,
    )
    encoder: Any = setting(
        fields.Encoder(),
        "Function that turns the answer's dict into JSON text, or its dotted name. None: "
        "the built-in one.",
        default=None,
    )
    content_type: str = setting(
        fields.Text(pattern=_MEDIA_TYPE, problem=_MEDIA_TYPE_PROBLEM),
        "Content-Type of the JSON answers.",
        default="application/json",
    )
    mimetype: str | None = setting(
        fields.Text(pattern=_MEDIA_TYPE, problem=_MEDIA_TYPE_PROBLEM),
        "Deprecated name of CHUNKED_UPLOAD_CONTENT_TYPE; used when set.",
        default=None,
    )
    max_bytes: Any = setting(
        functions.SizeOrFunction(),
        "Largest file in bytes, or a function of the request that returns it. None: no limit.",
        default=None,
    )
    fail_if_no_header: bool = setting(
        fields.Switch(),
        "True: every chunk needs Content-Range. False: a form without it is a whole file. A "
        "view's `fail_if_no_header` wins.",
        default=False,
    )

    # Where and how.
    url_prefix: str = setting(
        fields.Text(pattern=_URL_PREFIX, problem=_URL_PREFIX_PROBLEM),
        "Where the endpoints are.",
        default="/uploads",
    )
    storage: str | None = setting(
        fields.Text(secret=True),
        "The storage by its URL, as `file:///srv/uploads`. None: the local disk, in "
        "`CHUNKED_UPLOAD_ROOT`.",
        default=None,
    )
    old_storage: str | None = setting(
        fields.Text(secret=True),
        "The storage that had all bytes before, by its URL, while `move-storage` moves them: "
        "uploads in it are served from there. `file:` is the local disk, in "
        "`CHUNKED_UPLOAD_ROOT`. None: nothing is moved.",
        default=None,
    )
    root: str | None = setting(
        fields.Directory(),
        "Directory that holds all bytes. None: `uploads` in the app's instance folder.",
        default=None,
    )
    incoming: str | None = setting(
        fields.Directory(),
        "Directory of unfinished bytes, on the file system of the root; several upload sets may "
        "share it. Name one outside of the root if a front server offers the root to the public. "
        "Unfinished uploads move there at the next start. None: `.incoming` in the root.",
        default=None,
    )
    durable: bool = setting(
        fields.Switch(),
        "True: a chunk is on stable storage before it is acknowledged. False: faster; a "
        "power cut (not a crash of the server) may lose acknowledged bytes.",
        default=True,
    )
    md5: bool = setting(
        fields.Switch(),
        "True: every byte goes into an MD5 as it arrives, and completing needs the "
        "client's. False: neither, for more speed; completed uploads have `md5: null`. A "
        "client that sends one all the same has it checked, for which the file is read.",
        default=True,
    )
    checksums: tuple[str, ...] = setting(
        names.Names(),
        "Checksums that are computed as the bytes arrive: `md5`, `sha256`, or both. "
        "Completing needs one of them from the client. `CHUNKED_UPLOAD_MD5=False` takes "
        "`md5` out.",
        default=("md5",),
    )
    file_mode: int = setting(
        fields.FileMode(needed=0o600, most=0o777),
        "Permissions of files, whatever the umask: `0o640`, or as text `640`.",
        default=0o640,
    )
    directory_mode: int = setting(
        fields.FileMode(needed=0o700, most=0o7777),
        "Permissions of directories, whatever the umask: `0o750`, or as text `750`.",
        default=0o750,
    )
    field_name: tuple[str, ...] = setting(
        names.Names(some=True),
        "Name, or names, of the form field with the chunk.",
        default=("file", "files[]"),
    )

    # Several upload sets.
    sets: Mapping[str, Any] | None = setting(
        fields.UploadSets(),
        "More upload sets, as `{'photos': {'allowed_extensions': ['jpg'], 'max_bytes': '10M'}}`: "
        "for each name its settings (docs/extension.md). As text, JSON.",
        default=None,
    )
    set_field: str | None = setting(
        fields.Text(pattern=r"[A-Za-z][\w-]*", problem="must be the name of a form field"),
        "Form field, or parameter of the query, by which clients choose an upload set of the app "
        "at the URL of this one, as `set`. None: they cannot.",
        default=None,
    )

    # Limits; None is none.
    max_chunk_bytes: int | None = setting(
        fields.Size(),
        "Largest single chunk in bytes.",
        default=None,
    )
    max_filename_length: int = setting(
        fields.Count(most=255),
        "Longest client file name in characters (255 at most).",
        default=255,
    )
    max_metadata_fields: int = setting(
        fields.Count(),
        "Extra form fields kept with an upload.",
        default=32,
    )
    max_metadata_bytes: int = setting(
        fields.Size(),
        "Bytes of extra form fields, names and values.",
        default=16384,
    )
    allowed_extensions: tuple[str, ...] | None = setting(
        names.Extensions(some=True),
        "The only file extensions taken, as `jpg,png,tar.gz`. None: any.",
        default=None,
    )
    denied_extensions: tuple[str, ...] = setting(
        names.Extensions(),
        "File extensions refused.",
        default=(),
    )
    page_size: int = setting(
        fields.Count(),
        "Uploads on one page of the list.",
        default=50,
    )

    # Plain forms.
    max_form_files: int = setting(
        fields.Count(),
        "Files in one plain form.",
        default=100,
    )
    form_redirect: Any = setting(
        functions.TextOrFunction(
            argument="the list of uploads",
            pattern=r"\S+",
            problem="must be an endpoint, a path or a URL",
        ),
        "Where a browser goes after a plain form: an endpoint's name, a path or a URL, or a "
        "function of the list of completed uploads that returns one. The form's field `next` wins, "
        "if it is a path. None, and no `next`: the answer is JSON.",
        default=None,
    )
    form_flash: bool = setting(
        fields.Switch(),
        "Whether to flash what became of a plain form, for the page it goes to.",
        default=True,
    )
    dropzone: Mapping[str, Any] | None = setting(
        fields.Options(),
        "Defaults of the template helper's options, as {'max_files': 3}; as text, JSON.",
        default=None,
    )

    #: Settings of the storage's and the dialects' own, by their class.
    own: Mapping[type, Any] = field(default_factory=dict, repr=False)

    @property
    def kept_checksums(self) -> tuple[str, ...]:
        """The names of the checksums that are computed as the bytes arrive."""
        return tuple(name for name in self.checksums if name != "md5" or self.md5)

    @classmethod
    def load(cls, config: Mapping[str, Any], overrides: Mapping[str, Any]) -> Settings:
        """Build from ``app.config`` and one upload set's keywords, the keywords winning.

        :raises ConfigurationError: naming the key, the value and what would do.
        """
        sources = Sources(config, overrides)
        settings = sources.read(cls)
        sources.refuse_unknown()
        return settings

    def of(self, kind: type[_T]) -> _T:
        """Return the settings of a storage or dialect, by their class."""
        own: _T = self.own[kind]
        return own

    def with_own(self, own: Any) -> Settings:
        """Return the same, and settings of a storage or dialect."""
        return replace(self, own={**self.own, type(own): own})


SPECS = specs(Settings)
KEYS = tuple(PREFIX + name.upper() for name in SPECS)


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``CHUNKED_UPLOAD_*`` variables of an environment, those of :class:`Settings` read.

    Others are a storage's own, or unknown; an upload set reads or refuses them.

    :raises ConfigurationError: for a value that cannot be read.
    """
    found = {
        key: value
        for key, value in environ.items()
        if key.startswith(PREFIX) and key not in SERVER_VARIABLES
    }
    settings = Sources(found, {}).read(Settings)
    return {
        key: getattr(settings, key.removeprefix(PREFIX).lower()) if key in KEYS else value
        for key, value in found.items()
    }
