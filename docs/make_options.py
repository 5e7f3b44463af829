"""Write the tables of docs/templates.md from chunked_upload/pages/zone_options.py."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from chunked_upload.pages.zone_options import SPECS

PAGE = Path(__file__).with_name("templates.md")

_PLACE = re.compile(r"(<!-- options -->\n).*(<!-- /options -->)", re.DOTALL)


def render() -> str:
    """Return the page with its tables made anew."""
    options = [option for option in SPECS.values() if option.metadata["meaning"]]
    texts = [option for option in SPECS.values() if not option.metadata["meaning"]]
    tables = (
        "\n| option | | default | Flask-Dropzone's key |\n|---|---|---|---|\n"
        + "".join(map(_row, options))
        + "\nTexts:\n\n| option | default | Flask-Dropzone's key |\n|---|---|---|\n"
        + "".join(map(_text_row, texts))
        + "\n"
    )
    return _PLACE.sub(lambda found: found[1] + tables + found[2], PAGE.read_text(encoding="utf-8"))


def _row(option: dataclasses.Field[Any]) -> str:
    meaning = option.metadata["meaning"]
    return f"| `{option.name}` | {meaning} | `{option.default!r}` | {_ported(option)} |\n"


def _text_row(option: dataclasses.Field[Any]) -> str:
    return f"| `{option.name}` | {option.default} | {_ported(option)} |\n"


def _ported(option: dataclasses.Field[Any]) -> str:
    key = option.metadata["ported"]
    return f"`DROPZONE_{key}`" if key else ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
