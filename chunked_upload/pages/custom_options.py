"""Reads Flask-Dropzone's ``custom_options``: text between the braces of a JavaScript object.

Where all values are plain (``addRemoveLinks: true, parallelUploads: 20``), they can go into an
attribute as JSON, and the page needs no inline script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_VALUE = r"""true|false|null|-?\d+(?:\.\d+)?|"(?:[^"\\\n])*"|'(?:[^'"\\\n])*'"""
_PAIR = re.compile(rf"""\s*(["']?)(\w+)\1\s*:\s*({_VALUE})\s*(,|$)""")


def plain_values(options: str | Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the names and values; None when a value is an expression or a function."""
    if not isinstance(options, str):
        return dict(options)
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
