"""Client libraries from npm, as ``make npm-for-tests`` and ``make test`` install them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.missing import skip_without

#: Where packages lie, each in a folder of its name.
MODULES = Path(__file__).parents[1] / "browser" / "node_modules"


def package(name: str) -> Path:
    """Return the folder of a package; without it, the current test is skipped."""
    folder = MODULES / name
    if not folder.is_dir():
        skip_without(f"{name} from npm", install="npm, then run make npm-for-tests")
    return folder


def version(name: str) -> str:
    """Return the installed version of a package."""
    found: str = json.loads((package(name) / "package.json").read_text())["version"]
    return found
