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
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar

from flask import Flask, current_app, has_request_context
from werkzeug.datastructures import FileStorage

from ..engine.target import LONGEST
from ..errors import ChunkedUploadError, ConfigurationError
from ..extension import ChunkedUpload
from ..http.access.callers import BY_APP
from ..http.ported_keys import refuse_flask_uploads
from ..http.save_errors import NameRefused, SaveRefused, UploadNotAllowed
from ..http.views import given_files
from ..records.repository import Record
from ..settings.extension_rules import ExtensionRules
from ..storage.powers import LocalPaths
from ..support.presets import DEFAULTS
from .configuration import UploadConfiguration, read_configuration
from .names import is_confined, lowercase_ext, own_name

#: Keywords that say where files are; with one of them a set needs no destination.
_PLACES = frozenset({"root", "storage", "storage_class"})

#: Whether :meth:`UploadSet.save` has asked :meth:`UploadSet.file_allowed` already.
_SAVING = ContextVar("chunked_upload.saving", default=False)

#: The configurations of an app's upload sets, by name.
_CONFIGURATIONS = "chunked_upload_configurations"


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
        if default_dest is not None and not callable(default_dest):
            raise ConfigurationError(
                f"default_dest of UploadSet({name!r}, ...) must be a function of the app that"
                f" returns a directory, as lambda app: {default_dest!r}"
            )
        self.extensions = extensions
        self.default_dest = default_dest
        super().__init__(name=name, **settings)
        if type(self).file_allowed is not UploadSet.file_allowed:
            self.validate(self._check_file)

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
        if self.name not in configurations:
            configurations[self.name] = self._configuration(app)
        super().init_app(app)

    def save(self, storage: FileStorage, folder: str | None = None, name: str | None = None) -> str:
        """Save a file that a view received; it is a completed upload with all that belongs to one.

        The set's hooks, limits and quota hold. It is never written over another file: if the name
        is taken, the file is called ``name_1.ext``, also when two requests save it at once.

        :param storage: the file, from ``request.files``.
        :param folder: folder in the set's place.
        :param name: the file's name. With a dot at its end, the file keeps its extension; with
            slashes, what comes before the last one is its folder.
        :return: the file's name in the set's place, for :meth:`url` and :meth:`path`.
        :raises UploadNotAllowed: when the set does not take files of this type.
        :raises SaveRefused: when a hook or a limit refuses it.
        :raises NameRefused: (a ValueError, as there) for a file without a name, and a name or
            folder that leads out of the set's place.
        :raises TypeError: for a storage that is none.
        """
        saved = self.save_upload(storage, folder, name).path
        return str(saved)

    def save_upload(
        self, storage: FileStorage, folder: str | None = None, name: str | None = None
    ) -> Record:
        """Save a file as :meth:`save` does; return the upload's record (``path`` is its name)."""
        if not isinstance(storage, FileStorage):
            raise TypeError("storage must be a werkzeug.FileStorage")
        if not storage.filename:
            raise NameRefused("Filename must not be empty!")
        basename = self.get_basename(storage.filename)
        if not self.file_allowed(storage, basename):
            raise UploadNotAllowed(f"Files of the type of {basename!r} are not accepted")
        if not basename:
            raise NameRefused("Invalid filename after sanitization")
        chosen = folder is None and name is None and "upload_to" in self._overrides
        target = None if chosen else self._target(basename, folder, name)
        if target is not None and not self.file_allowed(storage, target.rpartition("/")[2]):
            raise UploadNotAllowed(f"The name {name!r} is not one of a file of an accepted type")
        with _request_context(), _saving():
            try:
                [record] = given_files.store(self.upload_set, [storage], target=target)
                if self.upload_set.settings.unclaimed_expiration_delta is not None:
                    self.engine.claim([record])  # the app keeps it: it must not expire
            except ChunkedUploadError as error:
                raise SaveRefused.of(error) from error
            return self.upload_set.for_app(record)

    def get_basename(self, filename: str) -> str:
        """Return the name that a client's file gets: safe, its extension in lower case."""
        return lowercase_ext(own_name(filename))

    def resolve_conflict(self, target_folder: str, basename: str) -> str:
        """Return the first of ``name_1.ext``, ``name_2.ext`` … that does not exist in a folder.

        :meth:`save` needs no help from it, and is safe against others that save at the same time.

        :param target_folder: absolute path of the folder.
        """
        stem, suffix = os.path.splitext(basename)
        number = 1
        while os.path.lexists(os.path.join(target_folder, f"{stem}_{number}{suffix}")):
            number += 1
        return f"{stem}_{number}{suffix}"

    def extension_allowed(self, ext: str) -> bool:
        """Return whether an extension, without its dot, is taken."""
        rules = self._rules_with(self.config)
        return rules.fits(f"name.{ext}" if ext else "name")

    def file_allowed(self, storage: Any, basename: str) -> bool:
        """Return whether a file is taken, by its name; override it to look at more.

        :param storage: the file; None for an upload in chunks, whose bytes are still on their way.
            Flask-WTF's ``FileAllowed`` passes a list.
        :param basename: the name to judge.
        """
        return self._rules_with(self.config).fits(basename)

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
            raise NameRefused("Security: Path traversal attempt detected")
        return storage.path(key)

    @property
    def _blueprint_name(self) -> str:
        # An app that comes from Flask-Uploads may have a blueprint of the set's own name.
        return f"uploads_{self.name}"

    def _settings_for(self, app: Flask) -> dict[str, Any]:
        config: UploadConfiguration = app.extensions[_CONFIGURATIONS][self.name]
        rules = self._rules_with(config)
        if rules.allowed == ():
            raise ConfigurationError(
                f"upload set {self.name!r} takes no file at all: it has no extensions, or"
                f" UPLOADED_{self.name.upper()}_DENY denies all of them"
            )
        settings: dict[str, Any] = {
            "url_prefix": f"/uploads/{self.name}",
            "path": "",
            "number_names": True,
            "upload_to": self._place_by_name,
        }
        if config.base_url is not None:
            settings["public_url"] = config.base_url
        if config.destination is not None:
            settings |= {"root": config.destination, "storage": None, "old_storage": None}
            # The app's config says these of another place.
            settings |= {"public_url": config.base_url, "x_accel_redirect": None}
        settings |= {"allowed_extensions": rules.allowed, "denied_extensions": rules.denied}
        return settings | self._overrides

    def _check_file(self, request: Any, upload: Any) -> None:
        """Ask an overridden :meth:`file_allowed` about uploads in chunks, too."""
        basename = self.get_basename(upload.filename)
        if not _SAVING.get() and not self.file_allowed(None, basename):
            raise UploadNotAllowed(f"Files such as {basename!r} are not accepted")

    def _place_by_name(self, upload: Any) -> str:
        """Return the target of a file that was uploaded in chunks, or saved without a name."""
        return self.get_basename(upload.filename) or str(upload.upload_id)

    def _target(self, basename: str, folder: str | None, name: str | None) -> str:
        """Return where a file goes that is saved under a name or into a folder.

        :raises ValueError: when that is outside of the set's place, or nothing is left of the name.
        """
        path = f"{folder}/{name or basename}" if folder else name or basename
        if not is_confined(path):
            raise NameRefused("Security: Path traversal attempt detected")
        *folders, last = path.split("/")
        if last.endswith("."):
            last += basename.rpartition(".")[2] if "." in basename else ""
        cleaned = [own_name(part) for part in folders] + [self.get_basename(last)]
        if not all(cleaned) or len("/".join(cleaned)) > LONGEST:
            raise NameRefused("Invalid filename after sanitization")
        storage = self.engine.storage
        for end in range(1, len(cleaned)):
            above = "/".join(cleaned[:end])
            if isinstance(storage, LocalPaths) and os.path.isfile(storage.path(above)):
                raise NameRefused(f"{above!r} is a file, not a folder")
        return "/".join(cleaned)

    def _rules_with(self, config: UploadConfiguration) -> ExtensionRules:
        return self._rules.changed(allow=config.allow, deny=config.deny)

    def _configuration(self, app: Flask) -> UploadConfiguration:
        return read_configuration(
            app,
            self.name,
            default_dest=self.default_dest,
            needs_place=not self._overrides.keys() & _PLACES,
        )


def configure_uploads(app: Flask, upload_sets: UploadSet | Iterable[UploadSet]) -> None:
    """Add upload sets to an app, by Flask-Uploads' keys in its config.

    Call it once, with all the app's sets.

    :raises ConfigurationError: for a set that cannot work, and for a key of a set that the app does
        not have.
    """
    given = upload_sets if isinstance(upload_sets, Iterable) else (upload_sets,)
    for upload_set in given:
        if not isinstance(upload_set, UploadSet):
            raise ConfigurationError(
                f"configure_uploads takes UploadSet objects, one or several, not {upload_set!r}"
            )
        upload_set.init_app(app)
    refuse_flask_uploads(app)


@contextmanager
def _saving() -> Iterator[None]:
    token = _SAVING.set(True)
    try:
        yield
    finally:
        _SAVING.reset(token)


def _request_context() -> AbstractContextManager[Any]:
    """Return the current request's context, or one for code outside of requests."""
    if has_request_context():
        return nullcontext()
    return current_app.test_request_context(environ_overrides={BY_APP: True})
