"""Every option of ``{{ chunked_upload.dropzone(...) }}``, once: its reading, default and meaning.

Names and meanings are Flask-Dropzone's where it has them, and an app's ``DROPZONE_*`` keys are read
as well, so that its users find everything in its place. An option comes from the call, else from
``CHUNKED_UPLOAD_DROPZONE``, else from the ported key, else from here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.text import parse_size

#: Flask-Dropzone's options that have nothing to do here, and why.
NOT_NEEDED = {
    "serve_local": "Dropzone always comes from the app's own site",
    "upload_multiple": "files go in chunks, each by itself",
    "allowed_file_custom": "allowed_file_type takes types of your own as they are",
    "enable_csrf": "tokens are sent when the upload set checks them (CHUNKED_UPLOAD_CSRF)",
}

_PRESETS = {
    "default": "image/*,audio/*,video/*,text/*,application/*",
    "image": "image/*",
    "audio": "audio/*",
    "video": "video/*",
    "text": "text/*",
    "app": "application/*",
}


def _mebibytes(value: Any) -> int:
    """Read a size in MiB, or a text as 2G, into bytes."""
    if isinstance(value, str):
        return _positive_int(parse_size(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError("expected a number of MiB, or a size as '2G'")
    return max(1, int(value * 2**20))


def _size(value: Any) -> int:
    return _positive_int(parse_size(value) if isinstance(value, str) else value)


def _positive_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("expected a positive number")
    return value


def _number_or_null(value: Any) -> int | None:
    return None if value == "null" else _positive_int(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a name")
    return value


def _types(value: Any) -> str:
    listed = value if isinstance(value, str) else ",".join(value)
    return _PRESETS.get(listed, listed)


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError("expected a dict of names and texts")
    return {key: str(item) for key, item in value.items()}


def _text(value: Any) -> Any:
    return value  # as it is: a lazy translation is made when the page is


def _option(default: Any, read: Callable[[Any], Any], meaning: str, ported: str = "") -> Any:
    """One option; ``ported`` is Flask-Dropzone's key without its prefix."""
    return field(default=default, metadata={"read": read, "meaning": meaning, "ported": ported})


@dataclass(frozen=True, kw_only=True)
class ZoneOptions:
    """The options of one zone. Make it with :meth:`load`, which checks every value."""

    # What may be uploaded.
    max_file_size: int | None = _option(
        None,
        _mebibytes,
        "Largest file: a number of MiB, or as `'2G'`. None: the upload set's limit.",
        "MAX_FILE_SIZE",
    )
    max_files: int | None = _option(None, _number_or_null, "Most files. None: any.", "MAX_FILES")
    allowed_file_type: str | None = _option(
        None,
        _types,
        "`image`, `audio`, `video`, `text`, `app`, `default` (all of these), or types as in "
        "`<input accept>`: `'.pdf,image/*'`. None: the upload set's extensions.",
        "ALLOWED_FILE_TYPE",
    )
    # How.
    input_name: str | None = _option(
        None, _name, "The file's form field. None: the upload set's first.", "INPUT_NAME"
    )
    parallel_uploads: int = _option(2, _positive_int, "Files sent at a time.", "PARALLEL_UPLOADS")
    timeout: int | None = _option(
        None,
        _positive_int,
        "Milliseconds without progress until a request counts as lost and is sent again. None: a "
        "minute.",
        "TIMEOUT",
    )
    chunk_size: int | None = _option(
        None, _size, "Bytes sent in one request at most, or as `'4M'`. None: 8 MiB."
    )
    resume: bool = _option(True, _switch, "Resume an upload of the same file, also after a reload.")
    md5: bool = _option(True, _switch, "Compute the MD5 while uploading, for the server to check.")
    metadata: Mapping[str, str] | None = _option(
        None, _strings, "Fields to keep with every upload."
    )
    upload_action: str | None = _option(
        None,
        _name,
        "Endpoint or URL of an upload set elsewhere, as `https://files.example.org/uploads/`. "
        "None: this app's upload set `upload_set`.",
        "UPLOAD_ACTION",
    )
    # What it looks like, and what follows.
    id: str | None = _option(None, _name, "The element's id.")
    thumbnails: bool = _option(True, _switch, "Show images (the policy needs `img-src data:`).")
    remove_links: bool = _option(
        True, _switch, "A link at each file that cancels it, or removes it from the server."
    )
    redirect_view: str | None = _option(
        None, _name, "Endpoint or URL to go to once every file is there.", "REDIRECT_VIEW"
    )
    upload_on_click: bool = _option(
        False, _switch, "Send nothing until the button is clicked.", "UPLOAD_ON_CLICK"
    )
    upload_btn_id: str = _option("upload", _name, "Id of that button.", "UPLOAD_BTN_ID")
    in_form: bool = _option(
        False,
        _switch,
        "The zone is a part of a form of yours: the ids of its uploads go along as hidden fields, "
        "and submitting waits for them.",
        "IN_FORM",
    )
    upload_id_name: str = _option("upload_id", _name, "Name of those fields.")
    # Texts.
    default_message: Any = _option(
        "Drop files here or click to upload.", _text, "", "DEFAULT_MESSAGE"
    )
    invalid_file_type: Any = _option(
        "You can't upload files of this type.", _text, "", "INVALID_FILE_TYPE"
    )
    file_too_big: Any = _option(
        "File is too big ({{filesize}} MiB). Max filesize: {{maxFilesize}} MiB.",
        _text,
        "",
        "FILE_TOO_BIG",
    )
    server_error: Any = _option("Server error: {{statusCode}}", _text, "", "SERVER_ERROR")
    browser_unsupported: Any = _option(
        "Your browser does not support drag'n'drop file uploads.", _text, "", "BROWSER_UNSUPPORTED"
    )
    max_file_exceeded: Any = _option(
        "You can't upload any more files.", _text, "", "MAX_FILE_EXCEED"
    )
    cancel_upload: Any = _option("Cancel upload", _text, "", "CANCEL_UPLOAD")
    remove_file: Any = _option("Remove file", _text, "", "REMOVE_FILE")
    cancel_confirmation: Any = _option(
        "You really want to delete this file?", _text, "", "CANCEL_CONFIRMATION"
    )
    upload_canceled: Any = _option("Upload canceled", _text, "", "UPLOAD_CANCELED")
    waiting_network: Any = _option("Waiting for the network", _text, "")
    waiting_server: Any = _option("Waiting for the server", _text, "")
    waiting_sign_in: Any = _option("Sign in to resume", _text, "")
    waiting_other_tab: Any = _option("Another tab is uploading this file", _text, "")
    file_changed: Any = _option("The file has changed; choose it again", _text, "")
    retry: Any = _option("Try again", _text, "")
    checksum_error: Any = _option("The uploaded file is damaged; try again", _text, "")
    upload_button: Any = _option("Upload", _text, "Of the form where scripts are off.")

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
        values: dict[str, Any] = {}
        for name, spec in FIELDS.items():
            key = f"DROPZONE_{spec.metadata['ported']}"
            if ported and spec.metadata["ported"] and key in ported:
                values[name] = _read(name, ported[key], f"{key}=")
        for source, shown in (
            (defaults or {}, "CHUNKED_UPLOAD_DROPZONE: {}="),
            (keywords, "dropzone({}=…): "),
        ):
            for name, value in source.items():
                values[name] = _read(name, value, shown.format(name))
        return cls(**values)


FIELDS: dict[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(ZoneOptions)}


def _read(name: str, value: Any, where: str) -> Any:
    if name in NOT_NEEDED:
        raise ConfigurationError(f"{where}{value!r}: not needed, {NOT_NEEDED[name]}")
    if name not in FIELDS:
        raise ConfigurationError(f"{where}{value!r}: unknown option; known are {sorted(FIELDS)}")
    spec = FIELDS[name]
    if value is None and spec.default is None:
        return None
    try:
        return spec.metadata["read"](value)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{where}{value!r}: {error}") from error
