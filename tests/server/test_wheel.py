"""What is built from a fresh clone. The wheel serves alone, in an empty environment.

The scripts for browsers are built once, for the sdist: that takes half of all the time.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from collections.abc import Callable, Iterable, Iterator
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from playwright.sync_api import Browser, BrowserContext, FilePayload, expect

from tests.server.client import call, complete, create, put
from tests.support.missing import skip_without
from tests.support.protocol import md5_of
from tests.support.server import Server

PROJECT = Path(__file__).parents[2]
DATA = bytes(range(256)) * 400

VENDORED = {
    *("LICENSES.txt", "dropzone.min.css", "dropzone.min.js"),
    *("md5.umd.min.js", "sha256.umd.min.js"),
    *("swagger-ui-bundle.js", "swagger-ui.css"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the pytest workers of a run make once, by whichever comes first."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "wheel"
    folder.mkdir(exist_ok=True)
    return folder


def once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder's entry, made now unless another process has."""
    done, entry = folder / f"{name}.done", folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(entry)
            done.touch()
    return entry


@pytest.fixture(scope="module")
def clone(made: Path) -> Path:
    """What a fresh clone has: the files that git knows, and nothing that was made beside them."""
    if shutil.which("npm") is None:
        skip_without("npm", install="the package npm")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        skip_without("a git checkout", install="git, and clone the project")
    names = list(filter(None, listed.stdout.decode().split("\0")))

    def copy(folder: Path) -> None:
        for name in names:
            if (PROJECT / name).is_file():  # deleted ones are listed as well
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name)

    return once(made, "clone", copy)


#: What npm brought, with compressed copies.
SHIPPED = {f"{name}{suffix}" for name in VENDORED for suffix in ("", ".gz", ".br")}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with more of an environment; standard error is part of the output."""
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def sdist(clone: Path, made: Path) -> Path:
    """The sdist that is made in a fresh clone, unpacked."""

    def build(target: Path) -> None:
        command = ("-m", "build", "--no-isolation", "--sdist", "--outdir")
        ended = run(*command, str(target), str(clone))
        assert ended.returncode == 0, ended.stdout
        [packed] = target.glob("*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extractall(target, filter="data")

    [unpacked] = filter(Path.is_dir, once(made, "sdist", build).iterdir())
    return unpacked


@pytest.fixture(scope="module")
def wheel(sdist: Path, made: Path) -> Path:
    """The wheel that ``pip install`` makes of the sdist, where there is no npm."""

    def build(target: Path) -> None:
        command = ("-m", "pip", "wheel", "--no-deps", "--wheel-dir")
        ended = run(*command, str(target), str(sdist), PATH="/nowhere")
        assert ended.returncode == 0, ended.stdout

    [built] = once(made, "built", build).glob("*.whl")
    return built


@pytest.fixture
def source(clone: Path, sdist: Path, tmp_path: Path) -> Path:
    """A copy of the clone that nobody else builds in, with what npm brought for the sdist."""
    return Path(shutil.copytree(clone, tmp_path / "source"))


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_what_serving_needs_and_no_more(wheel: Path) -> None:
    names = contents(wheel)
    assert {
        "chunked_upload/py.typed",
        "chunked_upload/migrations/env.py",
        "chunked_upload/migrations/alembic.ini",
        "chunked_upload/static/index.html",
        "chunked_upload/static/page.css",
        "chunked_upload/static/chunked-upload.js",
    } <= names
    vendored = {name.rpartition("/")[2] for name in names if "/static/vendor/" in name}
    assert vendored == SHIPPED
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"chunked_upload"}
    # testing/ is public: the suites that others run against their storages and dialects.
    private = [name for name in names if not name.startswith("chunked_upload/testing/")]
    assert not [name for name in names if "__pycache__" in name]
    assert not [name for name in private if "test" in name]
    migrations = {path.name for path in (PROJECT / "migrations" / "versions").glob("*.py")}
    assert {f"chunked_upload/migrations/versions/{name}" for name in migrations} <= names


def test_the_wheel_has_the_page_bundled_and_minified(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".js")]
        own = [name for name in names if not re.search("/(vendor|texts)/", name)]
        built = [archive.read(name) for name in own]
    sources = [*PROJECT.glob("static/*.js"), *PROJECT.glob("static/[!v]*/*.js")]
    assert sum(map(len, built)) < sum(path.stat().st_size for path in sources) / 1.5
    assert not [text for text in built if b"/**" in text]
    assert "chunked_upload/static/page/format.js" not in names


def bring(wheel: Path, folder: Path) -> None:
    """Copy what a wheel needs, and what that needs, from the environment of the tests.

    With their compiled modules: pip would take three times as long, and the server would too.
    """
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_bytes(archive.read(name))
    waiting = needed(metadata.get_all("Requires-Dist", []), {""})
    seen = set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        found = distribution(wanted.name)
        waiting += needed(found.requires or [], wanted.extras or {""})
        for file in found.files or []:
            if ".." not in file.parts:  # scripts
                place = folder / file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), place)


def needed(lines: Iterable[str], extras: set[str]) -> list[Requirement]:
    """Return what of a distribution's requirements it has here, with these extras."""
    return [
        wanted
        for wanted in map(Requirement, lines)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras)
    ]


@pytest.fixture(scope="module")
def installed(wheel: Path, made: Path) -> Path:
    """The programs of an empty environment with the wheel installed."""

    def install(environment: Path) -> None:
        venv.create(environment)
        python = str(environment / "bin" / "python")
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        bring(wheel, Path(found.stdout.strip()))
        pip = [sys.executable, "-m", "pip", "--python", python]
        # --no-compile: the server compiles the few modules that it imports.
        options = ("--quiet", "--no-deps", "--no-compile")
        subprocess.run([*pip, "install", *options, str(wheel)], check=True)
        subprocess.run([*pip, "check"], check=True)

    return once(made, "venv", install) / "bin"


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The wheel's server, with its data in a directory that was empty."""
    empty = tmp_path_factory.mktemp("empty")
    with Server(empty, command=[str(installed / "chunked-upload"), "serve"]) as running:
        yield running


def test_the_wheel_installed_alone_serves(server: Server) -> None:
    assert call(server, "GET", "/").status == 200
    for path in ("/static/page.css", "/uploads/static/page.css"):
        styles = call(server, "GET", path, headers={"Accept-Encoding": "gzip"})
        assert (styles.status, styles.headers["Content-Encoding"]) == (200, "gzip")
    upload_id = create(server, DATA[:50_000], len(DATA))
    server.kill()
    server.start()
    assert put(server, upload_id, DATA[50_000:], 50_000, len(DATA)).status == 200
    answer = complete(server, upload_id, DATA)
    assert answer.status == 200
    assert call(server, "GET", answer.json["url"]).body == DATA
    assert {path.name for path in server.directory.iterdir()} == {"instance", "server.log"}
    assert str(PROJECT) not in server.log.read_text()


def page_base(page: str) -> str:
    """Return where a page's files are; the address has the build's version."""
    [base] = re.findall(r'"(/uploads/static/v-[0-9a-f]{12}/)page.css"', page)
    return str(base)


def test_everything_that_its_page_names_is_there(server: Server) -> None:
    """The page, its modules, what these import, the worker, and what npm brought."""
    page = call(server, "GET", "/").body.decode()
    waiting = re.findall(r'(?:href|src)="(/uploads/static/[^"]*)"', page)
    assert 4 < len(waiting) < 10  # bundled
    base = page_base(page)
    waiting += [f"{base}md5-worker.js", f"{base}chunked-upload-dropzone.js"]
    waiting += [f"{base}vendor/{name}" for name in VENDORED]
    seen = set(waiting)
    while waiting:
        address = waiting.pop()
        answer = call(server, "GET", address)
        assert (answer.status, len(answer.body) > 0) == (200, True), address
        if "/vendor/" in address or not address.endswith(".js"):
            continue
        for target in re.findall(r'(?:from|import|URL\()\s*"(\.[^"]*)"', answer.body.decode()):
            imported = os.path.normpath(os.path.join(os.path.dirname(address), target))
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)


def test_its_page_uploads_in_a_browser(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url + "/")
    file: FilePayload = {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": DATA}
    page.set_input_files("[data-input=files]", file)
    page.get_by_role("button", name="MD5 of a.bin").click(timeout=30_000)
    expect(page.get_by_text(md5_of(DATA))).to_be_visible(timeout=30_000)
    assert complaints == []


#: A slow line: bytes per second, and milliseconds for the way there and back.
SLOW = {"downloadThroughput": 200_000, "uploadThroughput": 200_000, "latency": 150}


def view(context: BrowserContext, url: str) -> tuple[float, list[dict[str, Any]]]:
    """Open the page on a slow line; return the seconds until it is usable, and what was loaded."""
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {"offline": False, **SLOW})
    started = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("h1")
    seconds = time.monotonic() - started
    page.wait_for_load_state("networkidle")
    loaded: list[dict[str, Any]] = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => entry.toJSON())"
    )
    page.close()
    return seconds, loaded


def test_the_first_view_on_a_slow_line(server: Server, browser: Browser) -> None:
    """Issue 17: at most 2 s at 200 kB/s and 150 ms; the second view loads no file again."""
    times = []
    for _ in range(2):
        context = browser.new_context()
        seconds, loaded = view(context, server.url + "/")
        times.append(seconds)
        files = [entry for entry in loaded if "/static/" in entry["name"]]
        assert len(files) <= 10
        assert all(entry["transferSize"] for entry in files)
    print(f"the first view: {min(times):.2f} s, {len(loaded)} requests after the page itself")
    assert min(times) <= 2
    again, loaded = view(context, server.url + "/")
    print(f"the second view: {again:.2f} s")
    files = [entry for entry in loaded if "/static/" in entry["name"]]
    assert files
    assert not any(entry["transferSize"] for entry in files)


def test_an_sdist_can_be_built_again(sdist: Path) -> None:
    """It carries the built files, so that the wheel needed no npm, and what these are built of."""
    assert (sdist / "build" / "static" / "page.css").is_file()
    assert (sdist / "frontend" / "package-lock.json").is_file()


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"npm_config_registry": "http://127.0.0.1:9/"}, "`npm ci` failed in frontend"),
        ({"PATH": "/nowhere"}, "npm was not found"),
    ],
)
def test_a_build_without_npm_or_its_registry_fails_and_says_what_to_do(
    source: Path, tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    shutil.rmtree(source / "frontend" / "node_modules")
    command = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir")
    cache = str(tmp_path / "cache")
    result = run(
        *command, str(tmp_path / "dist"), str(source), npm_config_cache=cache, **environment
    )
    assert result.returncode != 0
    assert "the scripts that browsers need could not be built" in result.stdout
    assert told in result.stdout
    assert "`make wheel`" in result.stdout
    assert not list(tmp_path.glob("dist/*"))


def test_an_editable_install_brings_the_scripts_and_exposes_the_package_alone(
    source: Path, tmp_path: Path
) -> None:
    code = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=source, check=True)
    [wheel] = tmp_path.glob("*.whl")
    [path] = [name for name in contents(wheel) if ".dist-info" not in name]
    with zipfile.ZipFile(wheel) as archive:
        [folder] = archive.read(path).decode().splitlines()
    assert [found.name for found in Path(folder).iterdir()] == ["chunked_upload"]
    assert Path(folder, "chunked_upload").resolve() == (source / "chunked_upload").resolve()
    assert {found.name for found in (source / "static" / "vendor").iterdir()} == VENDORED
