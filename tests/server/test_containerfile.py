"""``deploy/Containerfile`` without a container engine: its steps in a bare Debian, then its server.

The root comes from debootstrap, in place of the image that the file names; `make test` leaves that
out (``full``), since it takes minutes. The server runs in it as its user, on a root that is
read-only, with a file system of its own for each volume.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chunked_upload.settings.keys import from_environment
from tests.server.client import call, complete, create
from tests.server.conftest import PROJECT
from tests.support.containerfile import Stage, read
from tests.support.missing import skip_without
from tests.support.ports import free_port

BUILD, FINAL = read(PROJECT / "deploy" / "Containerfile")

#: What pip and apt need to reach what they install from.
NETWORK = ("resolv.conf", "hosts", "ssl/certs/ca-certificates.crt")


def test_every_file_that_is_copied_exists() -> None:
    copied = [said.split()[:-1] for stage in (BUILD, FINAL) for said in stage.said("COPY")]
    names = [name for said in copied if not said[0].startswith("--from=") for name in said]
    assert names
    assert [name for name in names if not (PROJECT / name).exists()] == []


def test_images_are_pinned() -> None:
    for stage in (BUILD, FINAL):
        assert ":" in stage.image
        assert not stage.image.endswith(":latest")


def test_the_server_runs_without_rights_and_gets_its_signals() -> None:
    assert FINAL.said("USER") == ["10001"]
    assert FINAL.said("STOPSIGNAL") == ["SIGTERM"]
    assert FINAL.words("ENTRYPOINT") == ["tini", "--"]  # and no shell, which would keep signals
    assert FINAL.words("CMD") == ["chunked-upload", "serve"]


def test_its_settings_exist() -> None:
    environment = FINAL.environment()
    kept = ("CHUNKED_UPLOAD_CONFIG", "CHUNKED_UPLOAD_INSTANCE")
    own = {k: v for k, v in environment.items() if k.startswith("CHUNKED_UPLOAD_")}
    assert set(own) - set(kept) == set(from_environment(own)) - set(kept)
    assert FINAL.said("EXPOSE") == [environment["PORT"]]
    assert f":{environment['PORT']}/healthz" in FINAL.words("HEALTHCHECK")[-1]
    assert environment["CHUNKED_UPLOAD_INSTANCE"] in FINAL.words("VOLUME")


class Root:
    """A bare Debian in a directory, in which a stage's steps are executed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def make(self) -> None:
        command = ["debootstrap", "--variant=minbase", "bookworm", str(self.directory)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def execute(self, stage: Stage, others: dict[str, Root]) -> None:
        """Execute COPY and RUN as an engine would."""
        for keyword, said in stage.steps:
            if keyword == "RUN":
                self._connect()
                self.run("sh", "-c", said)
            elif keyword == "COPY":
                self._copy(said.split(), others)

    def run(self, *command: str) -> None:
        """Run a command in it, as root."""
        done = subprocess.run(
            ["chroot", str(self.directory), *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

    def _connect(self) -> None:
        """Give it this host's way to the network; installing certificates takes it away again."""
        for name in NETWORK:
            (self.directory / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/etc") / name, self.directory / "etc" / name)

    def _copy(self, words: list[str], others: dict[str, Root]) -> None:
        source = PROJECT
        if words[0].startswith("--from="):
            source = others[words.pop(0).removeprefix("--from=")].directory
        *names, target = words
        for name in names:
            here, there = source / name.lstrip("/"), self.directory / target.lstrip("/")
            if here.is_dir():
                ignored = shutil.ignore_patterns("node_modules", "__pycache__")
                shutil.copytree(here, there, dirs_exist_ok=True, ignore=ignored)
            else:
                there.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, there)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root that the Containerfile makes."""
    given = os.environ.get("DEBIAN_ROOT")  # one that debootstrap has made before
    if os.geteuid() != 0:
        skip_without("root", install="nothing: run it as root")
    if given is None and shutil.which("debootstrap") is None:
        skip_without("debootstrap", install="the package debootstrap")
    roots: dict[str, Root] = {}
    for stage in (BUILD, FINAL):
        root = Root(tmp_path_factory.mktemp("image") / "root")
        if given:
            subprocess.run(["cp", "-a", given, str(root.directory)], check=True)
        else:
            root.make()
        root.execute(stage, roots)
        roots[stage.name or "final"] = root
    return roots["final"].directory


class Container:
    """The image's server in namespaces of its own: mounts, processes; not the network."""

    def __init__(self, image: Path) -> None:
        self.image = image
        self.port = free_port()
        # exec keeps the pid that signals go to.
        volumes = " && ".join(
            f"mount -t tmpfs -o mode={mode},uid=10001 none {image}{volume}"
            for volume, mode in zip(FINAL.words("VOLUME"), ("0750", "1777"), strict=True)
        )
        environment = FINAL.environment() | {
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "SECRET_KEY": "only for this test",
            "WORKERS": "1",
        }
        said = " ".join(f"'{name}={value}'" for name, value in environment.items())
        command = " ".join([*FINAL.words("ENTRYPOINT"), *FINAL.words("CMD")])
        script = (
            f"mount --bind {image} {image} && mount -o remount,bind,ro {image} && {volumes} && "
            f"mount -t proc none {image}/proc && mount --bind /dev {image}/dev && "
            f"exec chroot --userspec=10001:{_group(image)} {image} "
            f"env -i {said} sh -c 'cd /data && exec {command}'"
        )
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-ec", script])

    def answers(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/healthz"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return True
        return False


def _group(image: Path) -> str:
    lines = (image / "etc" / "group").read_text().splitlines()
    return next(line.split(":")[2] for line in lines if line.startswith("uploads:"))


@pytest.fixture(scope="module")
def container(image: Path) -> Iterator[Container]:
    running = Container(image)
    try:
        deadline = time.monotonic() + 120
        while not running.answers():
            assert running.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield running
    finally:
        running.process.terminate()  # killed, tini would leave the server behind
        running.process.wait(60)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_the_image_s_server_takes_uploads_on_a_read_only_root(container: Container) -> None:
    data = bytes(range(256)) * 1000
    upload_id = create(container, data, len(data))
    assert complete(container, upload_id, data).status == 200
    assert call(container, "GET", f"/uploads/{upload_id}/file").body == data
    assert call(container, "GET", "/").status == 200
    inside = f"/proc/{container.process.pid}/root"
    owner = Path(f"/proc/{container.process.pid}/status").read_text()
    assert "Uid:\t10001\t10001" in owner
    for name in ("usr", "etc", "opt/chunked-upload"):
        refused = subprocess.run(
            [
                "nsenter",
                "-m",
                "-t",
                str(container.process.pid),
                "touch",
                f"{container.image}/{name}/x",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Read-only file system" in refused.stderr, (inside, refused)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_the_stop_signal_ends_it_in_peace(container: Container) -> None:
    container.process.send_signal(signal.Signals[FINAL.said("STOPSIGNAL")[0]])
    assert container.process.wait(60) == 0
