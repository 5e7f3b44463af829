"""Every option of ``{{ chunked_upload.dropzone(...) }}``, once: its reading, default and meaning.

Names and meanings are Flask-Dropzone's where it has them, and an app's ``DROPZONE_*`` keys are read
as well, so that its users find everything in its place. An option comes from the call, else from
``CHUNKED_UPLOAD_DROPZONE``, else from the ported key, else from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings import fields
from chunked_upload.settings.schema import Given, nearest, read, setting, specs

#: Flask-Dropzone's options that have nothing to do here, and why.
NOT_NEEDED = {
    "serve_local": "Dropzone always comes from the app's own site",
    "upload_multiple": "files go in chunks, each by itself",
    "allowed_file_custom": "allowed_file_type takes types of your own as they are",
    "enable_csrf": "tokens are sent when the upload set checks them (CHUNKED_UPLOAD_CSRF)",
}

#: The option of a text, and its name in the script.
TEXTS = {
    "default_message": "dictDefaultMessage",
    "invalid_file_type": "dictInvalidFileType",
    "file_too_big": "dictFileTooBig",
    "server_error": "dictResponseError",
    "browser_unsupported": "dictFallbackMessage",
    "max_file_exceeded": "dictMaxFilesExceeded",
    "cancel_upload": "dictCancelUpload",
    "remove_file": "dictRemoveFile",
    "cancel_confirmation": "dictCancelUploadConfirmation",
    "upload_canceled": "dictUploadCanceled",
    "waiting_network": "waitingNetwork",
    "waiting_server": "waitingServer",
    "waiting_sign_in": "waitingSignIn",
    "waiting_other_tab": "waitingOtherTab",
    "file_changed": "fileChanged",
    "checksum_error": "checksumError",
    "retry": "retry",
}

_CHUNKED = "files go in chunks, each by itself (chunk_size=, timeout=)"
_METADATA = "send fields with metadata="
_ORIGINAL = "files are sent as they are"

#: Options of Dropzone that a zone decides itself, since the client library sends its files; what to
#: write instead.
INSTEAD = {
    "url": "write upload_action=, or upload_set=",
    "method": "files are sent by POST",
    "paramName": "write input_name=",
    "parallelUploads": "write parallel_uploads=",
    "timeout": "write timeout=",
    "chunkSize": "write chunk_size=",
    **{name: f"write {option}=" for option, name in TEXTS.items()},
    **dict.fromkeys(("params", "headers"), _METADATA),
    **dict.fromkeys(
        (
            "chunking",
            "forceChunking",
            "parallelChunkUploads",
            "retryChunks",
            "retryChunksLimit",
            "uploadMultiple",
        ),
        _CHUNKED,
    ),
    **dict.fromkeys(
        ("resizeWidth", "resizeHeight", "resizeMethod", "resizeQuality", "resizeMimeType"),
        _ORIGINAL,
    ),
}

_PRESETS = {
    "default": "image/*,audio/*,video/*,text/*,application/*",
    "image": "image/*",
    "audio": "audio/*",
    "video": "video/*",
    "text": "text/*",
    "app": "application/*",
}


class Mebibytes(fields.SettingField):
    """A number of MiB, or text as ``2G``; in bytes once it is read."""

    def read(self, value: Any) -> int | None:
        if isinstance(value, str) and not re.fullmatch(r"\s*[0-9.]+\s*", value):
            return fields.Size().read(value)
        try:
            number = 0 if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = 0
        if not 0 < number < 2**43:
            raise ValueError("expected a number of MiB, or a size as '2G'")
        return max(1, int(number * 2**20))


class CountOrNull(fields.Count):
    """A number; Dropzone's word for none is ``"null"``."""

    def read(self, value: Any) -> Any:
        return None if value == "null" else super().read(value)


class FileTypes(fields.SettingField):
    """Types as in ``<input accept>``, or the name of a preset; text, or several texts."""

    def read(self, value: Any) -> str:
        items = [value] if isinstance(value, str) else value
        listed = isinstance(items, (list, tuple, set, frozenset))
        if not listed or not items or not all(isinstance(item, str) and item for item in items):
            raise ValueError("expected file types, as '.pdf,image/*'")
        joined = ",".join(items)
        return _PRESETS.get(joined, joined)


class Metadata(fields.Options):
    """Names and texts."""

    def read(self, value: Any) -> dict[str, str]:
        return {name: str(item) for name, item in super().read(value).items()}


class DropzoneOptions(fields.Options):
    """Dropzone's own options, as far as JSON has them and a zone leaves them to Dropzone."""

    def read(self, value: Any) -> dict[str, Any]:
        options = super().read(value)
        for name in options:
            if name in INSTEAD:
                raise ValueError(f"expected no {name!r}, which the zone decides; {INSTEAD[name]}")
        try:
            json.dumps(options)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "expected values that JSON has; write functions in a script of your own, as"
                " Dropzone.options"
            ) from error
        return options


class Message(fields.SettingField):
    """A text for people, perhaps a lazy translation, which is made when the page is."""


class DefaultText(str):
    """A text that no app has set: the script says the same in the page's language."""


class Name(fields.SettingField):
    """Any text that is not empty."""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError("expected a name")
        return value


def _option(field: fields.SettingField, default: Any, meaning: str, ported: str = "") -> Any:
    """One option; ``ported`` is Flask-Dropzone's key without its prefix."""
    return setting(field, meaning, default=default, ported=ported)


def _text(default: str, ported: str = "") -> Any:
    """One text, in English where no app sets it and the page's language has none."""
    return _option(Message(), DefaultText(default), "", ported)


@dataclass(frozen=True, kw_only=True)
class ZoneOptions:
    """The options of one zone. Make it with :meth:`load`, which checks every value."""

    # What may be uploaded.
    max_file_size: int | None = _option(
        Mebibytes(),
        None,
        "Largest file: a number of MiB, or as `'2G'`. None: the upload set's limit.",
        "MAX_FILE_SIZE",
    )
    max_files: int | None = _option(CountOrNull(), None, "Most files. None: any.", "MAX_FILES")
    allowed_file_type: str | None = _option(
        FileTypes(),
        None,
        "`image`, `audio`, `video`, `text`, `app`, `default` (all of these), or types as in "
        "`<input accept>`: `'.pdf,image/*'`. None: the upload set's extensions.",
        "ALLOWED_FILE_TYPE",
    )
    # How.
    input_name: str | None = _option(
        Name(), None, "The file's form field. None: the upload set's first.", "INPUT_NAME"
    )
    parallel_uploads: int = _option(fields.Count(), 2, "Files sent at a time.", "PARALLEL_UPLOADS")
    timeout: int | None = _option(
        fields.Count(),
        None,
        "Milliseconds without progress until a request counts as lost and is sent again. None: a "
        "minute.",
        "TIMEOUT",
    )
    chunk_size: int | None = _option(
        fields.Size(), None, "Bytes sent in one request at most, or as `'4M'`. None: 8 MiB."
    )
    resume: bool = _option(
        fields.Switch(),
        True,
        "Resume an upload of the same file, also after a reload.",
    )
    md5: bool = _option(
        fields.Switch(), True, "Compute the MD5 while uploading, for the server to check."
    )
    metadata: Mapping[str, str] | None = _option(
        Metadata(), None, "Fields to keep with every upload."
    )
    upload_action: str | None = _option(
        Name(),
        None,
        "Endpoint or URL of an upload set elsewhere, as `https://files.example.org/uploads/`. "
        "None: this app's upload set `upload_set`.",
        "UPLOAD_ACTION",
    )
    # What it looks like, and what follows.
    id: str | None = _option(Name(), None, "The element's id.")
    thumbnails: bool = _option(
        fields.Switch(), True, "Show images (the policy needs `img-src data:`)."
    )
    remove_links: bool = _option(
        fields.Switch(), True, "A link at each file that cancels it, or removes it from the server."
    )
    redirect_view: str | None = _option(
        Name(), None, "Endpoint or URL to go to once every file is there.", "REDIRECT_VIEW"
    )
    upload_on_click: bool = _option(
        fields.Switch(), False, "Send nothing until the button is clicked.", "UPLOAD_ON_CLICK"
    )
    upload_btn_id: str = _option(Name(), "upload", "Id of that button.", "UPLOAD_BTN_ID")
    in_form: bool = _option(
        fields.Switch(),
        False,
        "The zone is a part of a form of yours: the ids of its uploads go along as hidden fields, "
        "and submitting waits for them.",
        "IN_FORM",
    )
    upload_id_name: str = _option(Name(), "upload_id", "Name of those fields.")
    options: Mapping[str, Any] | None = _option(
        DropzoneOptions(),
        None,
        "More options of [Dropzone](https://docs.dropzone.dev/configuration/basics/"
        "configuration-options) itself, as `{'thumbnailWidth': 200}`.",
    )
    # Texts.
    default_message: Any = _text("Drop files here or click to upload.", "DEFAULT_MESSAGE")
    invalid_file_type: Any = _text("You can't upload files of this type.", "INVALID_FILE_TYPE")
    file_too_big: Any = _text(
        "Too large: the file is {{filesize}} MiB, the limit is {{maxFilesize}} MiB. Nothing was"
        " sent.",
        "FILE_TOO_BIG",
    )
    server_error: Any = _text("Server error: {{statusCode}}", "SERVER_ERROR")
    browser_unsupported: Any = _text(
        "Your browser does not support drag'n'drop file uploads.", "BROWSER_UNSUPPORTED"
    )
    max_file_exceeded: Any = _text("You can't upload any more files.", "MAX_FILE_EXCEED")
    cancel_upload: Any = _text("Cancel upload", "CANCEL_UPLOAD")
    remove_file: Any = _text("Remove file", "REMOVE_FILE")
    cancel_confirmation: Any = _text("You really want to delete this file?", "CANCEL_CONFIRMATION")
    upload_canceled: Any = _text("Upload canceled", "UPLOAD_CANCELED")
    waiting_network: Any = _text(
        "You are offline. The upload will resume when the connection is back."
    )
    waiting_server: Any = _text("The server cannot be reached. Trying again in 5 seconds.")
    waiting_sign_in: Any = _text(
        "You are signed out. The uploaded part is safe; sign in to resume."
    )
    waiting_other_tab: Any = _text("This file is already being uploaded, above or in another tab.")
    file_changed: Any = _text(
        "The file was changed or moved during the upload. Choose it again to upload the current"
        " version."
    )
    retry: Any = _text("Try again")
    checksum_error: Any = _text(
        "The uploaded bytes differ from the file: the checksums do not match. Retry to send the"
        " whole file. If it happens again, check the file and the disk."
    )
    upload_button: Any = _option(Message(), "Upload", "Of the form where scripts are off.")

    @classmethod
    def load(
        cls,
        keywords: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        ported: Mapping[str, Any] | None = None,
    ) -> ZoneOptions:
        """Build from a call's keywords, the app's defaults, and an app's ``DROPZONE_*`` keys.

        :raises ConfigurationError: naming the option, the value and what would do.
        """
        given: dict[str, Given] = {}
        for name, spec in SPECS.items():
            key = f"DROPZONE_{spec.metadata['ported']}"
            if ported and spec.metadata["ported"] and key in ported:
                given[name] = Given(key, ported[key])
        for source, where in (
            (defaults or {}, "CHUNKED_UPLOAD_DROPZONE"),
            (keywords, "dropzone()"),
        ):
            for name, value in source.items():
                given[name] = Given(f"{where}: {name}", value)
                _check_name(name, given[name])
        return read(cls, given)


SPECS = specs(ZoneOptions)


def _check_name(name: str, given: Given) -> None:
    shown = f"{given.label}={given.value!r}"
    if name in NOT_NEEDED:
        raise ConfigurationError(f"{shown}: not needed, {NOT_NEEDED[name]}")
    if name not in SPECS:
        meant = nearest(name, SPECS)
        advice = f"did you mean {meant}?" if meant else f"known are {sorted(SPECS)}"
        raise ConfigurationError(f"{shown}: unknown option; {advice}")
