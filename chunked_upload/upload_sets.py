"""Flask-Uploads' upload sets: a :class:`ChunkedUpload` with its names, configuration and methods.

::

    photos = UploadSet("photos", IMAGES)
    configure_uploads(app, photos)

    @app.post("/photo")
    def upload():
        return photos.url(photos.save(request.files["photo"]))

Files lie at their own name in the set's place, whether a view saves them or clients upload them in
chunks to ``/uploads/photos/``. The rest is :class:`~chunked_upload.ChunkedUpload`'s: hooks, limits,
quota, dialects.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from flask import Flask, current_app, url_for

from .errors import ConfigurationError
from .extension import ChunkedUpload
from .http.ported_keys import refuse_flask_uploads
from .settings.extension_rules import ExtensionRules
from .settings.names import Extensions
from .storage.powers import LocalPaths
from .support.presets import DEFAULTS

#: Keywords that say where files are; with one of them a set needs no destination.
_PLACES = frozenset({"root", "storage", "storage_class"})

#: The configurations of an app's upload sets, by name.
_CONFIGURATIONS = "chunked_upload_configurations"


@dataclass(frozen=True)
class UploadConfiguration:
    """An upload set's configuration in one app, as in Flask-Uploads.

    :param destination: directory of the files; None where the keywords of the set name its place.
    :param base_url: URL of the files, with a slash at its end; None if the app serves them.
    :param allow: extensions that are taken in addition to the set's own.
    :param deny: extensions of the set's own that are not taken.
    """

    destination: str | None
    base_url: str | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class UploadSet(ChunkedUpload):
    """A set of uploaded files, as in Flask-Uploads.

    :param name: the set's name, letters and digits; ``UPLOADED_<NAME>_DEST`` has it in upper case.
    :param extensions: what it takes: a preset such as ``IMAGES``, several extensions, ``ALL`` or
        ``AllExcept(...)``.
    :param default_dest: function of the app that returns the directory of the files, used when the
        app's config does not have it.
    :param settings: keywords of :class:`~chunked_upload.ChunkedUpload`, and settings of this set
        alone (``max_bytes=10 * 2**20``).
    :raises ValueError: for a name that is not alphanumeric, as there.
    :raises ConfigurationError: for extensions that are none.
    """

    reads_uploaded_keys: ClassVar[bool] = True

    def __init__(
        self,
        name: str = "files",
        extensions: Any = DEFAULTS,
        default_dest: Callable[[Flask], str] | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(name, str) or not (name.isascii() and name.isalnum()):
            raise ValueError(f"Name must be alphanumeric (no underscores), not {name!r}")
        for keyword in ("allowed_extensions", "denied_extensions"):
            if keyword in settings:
                raise ConfigurationError(
                    f"UploadSet has no {keyword}=; write UploadSet({name!r}, ('jpg', 'png')), a"
                    " preset, or AllExcept(...)"
                )
        try:
            self._rules = ExtensionRules.of(extensions)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"extensions of UploadSet({name!r}, ...) {error}") from error
        self.extensions = extensions
        self.default_dest = default_dest
        super().__init__(name=name, **settings)

    @property
    def config(self) -> UploadConfiguration:
        """The set's configuration in the current app.

        :raises RuntimeError: when the current app does not have the set.
        """
        known: dict[str, UploadConfiguration] = current_app.extensions.get(_CONFIGURATIONS, {})
        if self.name not in known:
            raise RuntimeError(
                f"the current app has no upload set named {self.name!r}; call"
                " configure_uploads(app, ...) first"
            )
        return known[self.name]

    def init_app(self, app: Flask) -> None:
        """Add the set to an app, as :func:`configure_uploads` does.

        :raises ConfigurationError: for a setting that cannot work, a set without a place, or a name
            or place taken twice.
        """
        configurations = app.extensions.setdefault(_CONFIGURATIONS, {})
        config = self._configuration(app)
        super().init_app(app)
        configurations[self.name] = config

    def extension_allowed(self, ext: str) -> bool:
        """Return whether an extension, without its dot, is taken."""
        rules = self._rules_with(self.config)
        return rules.fits(f"name.{ext}" if ext else "name")

    def file_allowed(self, storage: Any, basename: str) -> bool:
        """Return whether a file is taken, by its name; override it to look at more.

        :param storage: the file; Flask-WTF's ``FileAllowed`` passes a list here.
        :param basename: the name to judge.
        """
        return self._rules_with(self.config).fits(basename)

    def url(self, filename: str) -> str:
        """Return the URL of a file.

        :param filename: what :meth:`save` returned.
        """
        base = self.config.base_url
        if base is not None:
            return base + quote(filename)
        return url_for(
            "_uploads.uploaded_file", setname=self.name, filename=filename, _external=True
        )

    def path(self, filename: str, folder: str | None = None) -> str:
        """Return the absolute path of a file, which need not exist.

        :param filename: what :meth:`save` returned.
        :param folder: the file's folder, if it is not in ``filename``.
        :raises ValueError: when the path would lead out of the set's place.
        :raises TypeError: when the storage keeps no files on this host.
        """
        storage = self.engine.storage
        if not isinstance(storage, LocalPaths):
            raise TypeError(f"{type(storage).__name__} keeps no files on this host; use open()")
        key = f"{folder}/{filename}" if folder else filename
        if not is_confined(key):
            raise ValueError("Security: Path traversal attempt detected")
        return storage.path(key)

    def _settings_for(self, app: Flask) -> dict[str, Any]:
        config = self._configuration(app)
        rules = self._rules_with(config)
        if rules.allowed == ():
            raise ConfigurationError(
                f"upload set {self.name!r} takes no file at all;"
                f" UPLOADED_{self.name.upper()}_DENY denies all its extensions"
            )
        settings: dict[str, Any] = {
            "url_prefix": f"/uploads/{self.name}",
            "path": "",
            "number_names": True,
        }
        if config.destination is not None:
            settings |= {"root": config.destination, "storage": None}
        settings |= {"allowed_extensions": rules.allowed, "denied_extensions": rules.denied}
        return settings | self._overrides

    def _rules_with(self, config: UploadConfiguration) -> ExtensionRules:
        return self._rules.changed(allow=config.allow, deny=config.deny)

    def _configuration(self, app: Flask) -> UploadConfiguration:
        """Read Flask-Uploads' keys, in its order.

        :raises ConfigurationError: when no place is named, or a key is wrong.
        """
        key = f"UPLOADED_{self.name.upper()}_"
        destination, by_default = app.config.get(f"{key}DEST"), False
        if destination is None and self.default_dest is not None:
            destination = self.default_dest(app)
        if destination is None and not self._overrides.keys() & _PLACES:
            default = app.config.get("UPLOADS_DEFAULT_DEST")
            if default is None:
                raise ConfigurationError(
                    f"no destination for set {self.name!r}; set {key}DEST or UPLOADS_DEFAULT_DEST"
                    " in the app's config, or give UploadSet a default_dest="
                )
            destination, by_default = os.path.join(default, self.name), True
        url = app.config.get(f"{key}URL")
        if url is None and by_default and app.config.get("UPLOADS_DEFAULT_URL"):
            url = f"{addslash(app.config['UPLOADS_DEFAULT_URL'])}{self.name}"
        return UploadConfiguration(
            None if destination is None else os.fspath(destination),
            None if url is None else addslash(url),
            _extensions(app, f"{key}ALLOW"),
            _extensions(app, f"{key}DENY"),
        )


def configure_uploads(app: Flask, upload_sets: UploadSet | Iterable[UploadSet]) -> None:
    """Add upload sets to an app, by Flask-Uploads' keys in its config.

    Call it once, with all the app's sets.

    :raises ConfigurationError: for a set that cannot work, and for a key of a set that the app does
        not have.
    """
    for upload_set in (upload_sets,) if isinstance(upload_sets, UploadSet) else upload_sets:
        upload_set.init_app(app)
    refuse_flask_uploads(app)


def addslash(url: str) -> str:
    """Return a URL with a slash at its end."""
    return url if url.endswith("/") else f"{url}/"


def is_confined(key: str) -> bool:
    """Return whether a relative path stays where it begins."""
    parts = key.split("/")
    return not ("\0" in key or "\\" in key or any(part in ("", ".", "..") for part in parts))


def _extensions(app: Flask, key: str) -> tuple[str, ...]:
    try:
        return Extensions().read(app.config.get(key, ()))
    except ValueError as error:
        raise ConfigurationError(f"{key} {error}, not {app.config[key]!r}") from error
