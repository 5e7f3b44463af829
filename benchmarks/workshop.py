"""What the peers need, set up from the registries: a venv each, one folder of npm packages.

Everything lies below ``build/bench``, which git ignores, and is set up once: a stamp beside each
tells what was asked for, and a change sets it up again. nginx is taken when it is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

#: Where everything goes that a run makes.
BUILD = REPOSITORY / "build" / "bench"

#: The peers' own little programs.
APPS = Path(__file__).parent / "apps"


class Unavailable(Exception):
    """A contestant cannot be set up on this machine; says why."""


class Workshop:
    """Sets up and finds what contestants run on.

    :param build: the folder for venvs and packages.
    """

    def __init__(self, build: Path = BUILD) -> None:
        self.build = build

    def venv(self, name: str, packages: Sequence[str]) -> Path:
        """Return the ``bin`` of a venv with these packages.

        :raises Unavailable: when they cannot be installed.
        """
        place = self.build / "venvs" / name
        stamp = place / "packages"
        if not stamp.exists() or stamp.read_text() != "\n".join(packages):
            tell(f"installing {', '.join(packages)}")
            shutil.rmtree(place, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(place))
            pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q"]
            _run(*pip, "--disable-pip-version-check", *packages)
            stamp.write_text("\n".join(packages))
        return place / "bin"

    def versions(self, binaries: Path, names: Sequence[str]) -> dict[str, str]:
        """Return the installed versions of packages, given by name or as requirements."""
        names = [name.partition("==")[0] for name in names]
        script = (
            "import json, sys, importlib.metadata as m;"
            "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        )
        found: dict[str, str] = json.loads(_run(str(binaries / "python"), "-c", script, *names))
        return found

    def node(self, name: str) -> Path:
        """Return a copy of ``apps/<name>`` with the packages of its lock file.

        :raises Unavailable: without Node and npm, or when they cannot be installed.
        """
        npm = self.program("npm", install="npm")
        place, source = self.build / "node" / name, APPS / name
        place.mkdir(parents=True, exist_ok=True)
        lock, stamp = (source / "package-lock.json").read_text(), place / "installed"
        for file in source.iterdir():
            if file.is_file():
                shutil.copy(file, place / file.name)
        if not stamp.exists() or stamp.read_text() != lock:
            tell(f"installing the packages of {name} from npm")
            _run(npm, "ci", "--silent", "--no-audit", "--no-fund", cwd=place)
            stamp.write_text(lock)
        return place

    def nginx(self) -> tuple[str, str]:
        """Return nginx's program and version: the system's, else Debian's package unpacked.

        :raises Unavailable: when neither can be had.
        """
        try:
            program = self.program("nginx", install="nginx")
        except Unavailable:
            program = str(self._unpacked("nginx") / "usr/sbin/nginx")
        return program, _run(program, "-v", stderr=True).strip().rpartition("/")[2]

    def _unpacked(self, package: str) -> Path:
        """Unpack a Debian package without installing it, which needs no root and starts nothing."""
        place = self.build / "packages" / package
        if not place.exists():
            apt, dpkg = (self.program(name, install=package) for name in ("apt-get", "dpkg-deb"))
            tell(f"unpacking Debian's {package}")
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.build) as work:
                _run(apt, "download", package, cwd=Path(work))
                (archive,) = Path(work).glob("*.deb")
                _run(dpkg, "-x", str(archive), str(place))
        return place

    def program(self, name: str, *, install: str) -> str:
        """Return the path of a program of the system.

        :raises Unavailable: when it is not there.
        """
        # The Makefile gets npm and Node from PyPI when the system has none.
        beside = f"{Path(sys.executable).parent}:/usr/sbin:/usr/local/sbin"
        found = shutil.which(name) or shutil.which(name, path=beside)
        if not found:
            raise Unavailable(f"needs {name}: install the package {install}")
        return found


def tell(text: str) -> None:
    """Say what is going on, on stderr."""
    print(f"  {text} …", file=sys.stderr, flush=True)


def _run(*command: str, cwd: Path | None = None, stderr: bool = False) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise Unavailable(f"`{' '.join(command[:6])}` failed: {said}")
    return done.stderr if stderr else done.stdout
