"""The static folder that the wheel ships, built as the build hook does it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.missing import skip_without

FRONTEND = Path(__file__).parents[2] / "frontend"


def can_be_built() -> bool:
    """Whether Node.js and npm's packages are there."""
    return (FRONTEND / "node_modules" / ".package-lock.json").is_file() and bool(
        shutil.which("node")
    )


def build_static(folder: Path) -> Path:
    """Build into ``folder``, which must not exist; without npm's packages the test is skipped."""
    if not (FRONTEND / "node_modules" / ".package-lock.json").is_file():
        skip_without("frontend/node_modules", install="npm, then run make vendor")
    node = shutil.which("node")
    if node is None:
        skip_without("node", install="the package nodejs")
    subprocess.run([node, str(FRONTEND / "build.mjs"), "static", str(folder)], check=True)
    return folder
