"""The wheel alone serves: in an empty environment, from an empty directory."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.server.client import call, complete, create, put
from tests.support.missing import skip_without
from tests.support.server import Server

PROJECT = Path(__file__).parents[2]
DATA = bytes(range(256)) * 400


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The project's wheel, built from what is in the checkout."""
    if not (PROJECT / "static" / "vendor" / "LICENSES.txt").exists():
        skip_without("static/vendor", install="npm's packages: make vendor")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, str(tmp_path / "dist"), str(PROJECT)], check=True, capture_output=True)
    [built] = (tmp_path / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_what_serving_needs_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "chunked_upload/py.typed",
        "chunked_upload/migrations/env.py",
        "chunked_upload/migrations/alembic.ini",
        "chunked_upload/static/index.html",
        "chunked_upload/static/page.css",
        "chunked_upload/static/chunked-upload.js",
    } <= names
    vendored = {name.rpartition("/")[2] for name in names if "/static/vendor/" in name}
    assert vendored == {
        "LICENSES.txt",
        "dropzone.min.css",
        "dropzone.min.js",
        "md5.umd.min.js",
    }
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"chunked_upload"}
    assert not [name for name in names if "__pycache__" in name or "test" in name]
    migrations = {path.name for path in (PROJECT / "migrations" / "versions").glob("*.py")}
    assert {f"chunked_upload/migrations/versions/{name}" for name in migrations} <= names


def test_the_wheel_installed_alone_serves(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment)
    python = str(environment / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "install"]
    constraints = ["--constraint", str(PROJECT / "constraints.txt")]
    # --no-compile: the server compiles the few modules that it imports.
    subprocess.run([*pip, "--no-compile", *constraints, str(wheel)], check=True)

    empty = tmp_path / "empty"
    empty.mkdir()
    program = str(environment / "bin" / "chunked-upload")
    with Server(empty, command=[program, "serve"]) as server:
        assert call(server, "GET", "/").status == 200
        assert call(server, "GET", "/static/page.css").status == 200
        upload_id = create(server, DATA[:50_000], len(DATA))
        server.kill()
        server.start()
        assert put(server, upload_id, DATA[50_000:], 50_000, len(DATA)).status == 200
        answer = complete(server, upload_id, DATA)
        assert answer.status == 200
        assert call(server, "GET", answer.json["url"]).body == DATA
    assert {path.name for path in empty.iterdir()} == {"instance", "server.log"}
    assert str(PROJECT) not in server.log.read_text()
