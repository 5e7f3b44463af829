"""The static folder that the wheel ships, built as the build hook does it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.missing import skip_without

PROJECT = Path(__file__).parents[2]
FRONTEND = PROJECT / "frontend"

#: What was built stays here until ``make clean``, or until nobody has asked for it for a day.
_BUILT = PROJECT / "build" / "tests-static"
_DAY = 86400


def can_be_built() -> bool:
    """Whether Node.js and npm's packages are there."""
    return (FRONTEND / "node_modules" / ".package-lock.json").is_file() and bool(
        shutil.which("node")
    )


def built_package() -> Path:
    """Return a folder with ``static`` in it, built once for all test runs of this checkout.

    It is built again where a source has changed: two seconds of processor time for each process.
    """
    _BUILT.mkdir(parents=True, exist_ok=True)
    package = _BUILT / _state_of_sources() / "package"
    with open(_BUILT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not package.exists():
            with tempfile.TemporaryDirectory(dir=_BUILT) as unfinished:
                made = Path(unfinished, "made", "package")
                made.mkdir(parents=True)
                build_static(made / "static")
                made.parent.rename(package.parent)
        package.parent.touch()
        for other in _BUILT.iterdir():
            if other.is_dir() and other.stat().st_mtime < time.time() - _DAY:
                shutil.rmtree(other, ignore_errors=True)
    return package


def _state_of_sources() -> str:
    files = [*(PROJECT / "static").rglob("*"), *FRONTEND.glob("*.*")]
    states = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(sorted(states)).encode()).hexdigest()[:16]


def build_static(folder: Path) -> Path:
    """Build into ``folder``, which must not exist; without npm's packages the test is skipped."""
    if not (FRONTEND / "node_modules" / ".package-lock.json").is_file():
        skip_without("frontend/node_modules", install="npm, then run make vendor")
    node = shutil.which("node")
    if node is None:
        skip_without("node", install="the package nodejs")
    subprocess.run([node, str(FRONTEND / "build.mjs"), "static", str(folder)], check=True)
    return folder
