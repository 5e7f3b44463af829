"""Reads Flask-Dropzone's ``custom_options``: text between the braces of a JavaScript object.

Where all values are plain (``addRemoveLinks: true, parallelUploads: 20``), they can go into an
attribute as JSON, and the page needs no inline script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chunked_upload.errors import ConfigurationError

_VALUE = r"""true|false|null|-?\d+(?:\.\d+)?|"(?:[^"\\\n])*"|'(?:[^'"\\\n])*'"""
_PAIR = re.compile(rf"""\s*(["']?)(\w+)\1\s*:\s*({_VALUE})\s*(,|$)""")


def plain_values(options: str | Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the names and values; None when a value is an expression or a function.

    :raises ConfigurationError: for a dict with values that JSON does not have.
    """
    if not isinstance(options, str):
        return _checked(options)
    found: dict[str, Any] = {}
    position, text = 0, options.strip()
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            return None
        value = pair[3]
        found[pair[2]] = json.loads(f'"{value[1:-1]}"' if value.startswith("'") else value)
        position = pair.end()
    return found


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(dict(options))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"dropzone.config(custom_options={options!r}): expected values that JSON has; write"
            " functions as JavaScript in one text, with nonce="
        ) from error
    return dict(options)
