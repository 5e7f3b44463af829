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
    """Return the version of a package that the lock file names."""
    lock = json.loads((MODULES.parent / "package-lock.json").read_text())
    found: str = lock["packages"][f"node_modules/{name}"]["version"]
    return found
