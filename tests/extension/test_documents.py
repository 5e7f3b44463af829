"""The documents say what is: their commands and apps run, their links lead somewhere."""

from __future__ import annotations

import html
import importlib
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.extension.helpers import FlaskProcess, answer
from tests.server.client import call
from tests.support.missing import skip_without
from tests.support.protocol import md5_of
from tests.support.server import Server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def curl() -> None:
    if shutil.which("curl") is None:
        skip_without("curl", install="the package curl")


@pytest.mark.usefixtures("curl")
def test_the_curl_session_of_the_readme_runs(server: Server, tmp_path: Path) -> None:
    [session] = [block for block in blocks(ROOT / "README.md", "sh") if "split -b" in block]
    script = session.replace("http://127.0.0.1:8000", server.url)
    work = tmp_path / "work"
    work.mkdir()
    result = subprocess.run(
        ["bash", "-e", "-c", script], cwd=work, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert '"offset": 8000000' in result.stdout
    assert '"offset": 16000000' in result.stdout
    assert '"status": 2' in result.stdout
    assert result.stdout.endswith("the same\n")
    assert re.findall(r'"total": (\d+)', result.stdout) == ["1", "2"]  # what its user lists


@pytest.mark.usefixtures("curl")
def test_the_curl_session_of_the_start_page_runs(server: Server, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"hello")
    page = call(server, "GET", "/").body.decode()
    [session] = re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    [command] = html.unescape(session).splitlines()
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert json.loads(done.stdout)["filename"] == "photo.jpg"
    assert json.loads(done.stdout)["status"] == 2


@pytest.fixture
def readme_app(tmp_path: Path) -> Iterator[FlaskProcess]:
    """The README's app, saved as ``app.py`` and run as it says, even beside the project's files."""
    readme = ROOT / "README.md"
    [code] = blocks(readme, "python")
    (tmp_path / "app.py").write_text(code)
    for name in ("wsgi.py", "config.py"):
        shutil.copy(ROOT / name, tmp_path)
    assert "`flask --app app run`" in readme.read_text()
    with FlaskProcess("app", tmp_path, {}) as running:
        yield running


@pytest.mark.usefixtures("curl")
def test_the_flask_app_of_the_readme_runs(readme_app: FlaskProcess, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"hello")
    script = f"""
        reply=$(curl -sS -F file=@photo.jpg {readme_app.url}/uploads/)
        id=$(echo "$reply" | sed 's/.*"upload_id": "\\([0-9a-f]*\\)".*/\\1/')
        curl -sS -d upload_id=$id -d md5=5d41402abc4b2a76b9719d911017c592 \
            {readme_app.url}/uploads/complete
    """
    result = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert '"status": 2' in result.stdout, result.stdout + result.stderr
    [line] = [line for line in readme_app.log.read_text().splitlines() if "photo.jpg 5" in line]
    assert Path(line.split()[-1]).read_bytes() == b"hello"


def test_the_cron_lines_run_as_copied(tmp_path: Path) -> None:
    """As cron runs them: with the variables of the file, those of a login, and no others."""
    [crontab] = blocks(ROOT / "docs" / "deployment.md", "crontab")
    programs = str(Path(sys.executable).parent)
    settings = tmp_path / "chunked-upload.env"
    settings.write_text("SECRET_KEY=0123\nCHUNKED_UPLOAD_MAX_BYTES=50G\n")
    for place, here in (
        ("/opt/chunked-upload/bin", programs),
        ("/var/lib/chunked-upload", str(tmp_path / "instance")),
        ("/etc/chunked-upload.env", str(settings)),
    ):
        assert place in crontab
        crontab = crontab.replace(place, here)
    assert "%" not in crontab  # a line feed, to cron
    lines = crontab.splitlines()
    environment = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    jobs = [re.split(r"\s+", line, maxsplit=6) for line in lines if line.startswith("*")]
    assert [job[:6] for job in jobs] == [["*/15", "*", "*", "*", "*", "uploads"]] * 2
    run: dict[str, Any] = {
        "cwd": tmp_path,
        "env": {"HOME": str(tmp_path), "LOGNAME": "uploads", "SHELL": "/bin/sh", **environment},
        "capture_output": True,
        "text": True,
        "timeout": 60,
    }
    prepare = f". {settings}; export SECRET_KEY; chunked-upload migrate"
    assert subprocess.run(["/bin/sh", "-c", prepare], **run).returncode == 0
    for *_, command in jobs:
        result = subprocess.run(["/bin/sh", "-c", command], **run)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "instance" / "chunked_upload.db").exists()


def test_flask_run_beside_an_app_starts_that_app(tmp_path: Path) -> None:
    """``flask`` looks for ``wsgi`` on Python's path first, where the project's must not be."""
    (tmp_path / "app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\napp.add_url_rule('/mine', 'mine')\n"
    )
    command = [sys.executable, "-m", "flask", "routes"]
    environment = {name: value for name, value in os.environ.items() if name != "FLASK_APP"}
    shown = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert "/mine" in shown.stdout, shown.stderr
    assert "/healthz" not in shown.stdout


def test_the_demo_of_the_porting_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original demo's requests, one after the other, against its port."""
    [code] = blocks(ROOT / "docs" / "porting.md", "python")
    (tmp_path / "ported_demo.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    app = importlib.import_module("ported_demo").app
    client = app.test_client()

    def send(data: bytes, content_range: str, **fields: str) -> Any:
        form = {**fields, "the_file": (io.BytesIO(data), "a.txt")}
        headers = {"Content-Range": content_range}
        return answer(client.post("/api/chunked_upload/", data=form, headers=headers))

    first = send(b"hello ", "bytes 0-5/11")
    assert set(first) == {"upload_id", "offset", "expires"}
    second = send(b"world", "bytes 6-10/11", upload_id=first["upload_id"])
    assert second["offset"] == 11
    done = client.post(
        "/api/chunked_upload_complete/",
        data={"upload_id": first["upload_id"], "md5": md5_of(b"hello world")},
    )
    assert answer(done) == {"message": "You successfully uploaded 'a.txt' (11 bytes)!"}
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    del sys.modules["ported_demo"]


@pytest.mark.parametrize(
    ("page", "program"),
    [("settings.md", "make_settings.py"), ("templates.md", "make_options.py")],
)
def test_generated_pages_are_what_the_code_says(page: str, program: str) -> None:
    generator = runpy.run_path(str(ROOT / "docs" / program))
    assert (ROOT / "docs" / page).read_text() == generator["render"](), "run make docs"


def test_the_readme_leads_to_every_document() -> None:
    table = (ROOT / "README.md").read_text().partition("## Read on")[2]
    names = [path.name for path in sorted((ROOT / "docs").glob("*.md"))]
    assert [name for name in names if f"](docs/{name})" not in table] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        path = (page.parent / target).resolve()
        assert path.exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_named_in_documents_exist(page: Path) -> None:
    from chunked_upload.http.dialect import registered
    from chunked_upload.settings.keys import KEYS
    from chunked_upload.settings.schema import specs
    from chunked_upload.settings.sources import PREFIX
    from chunked_upload.storage.registry import registered as storages

    others = {"CHUNKED_UPLOAD_CONFIG", "CHUNKED_UPLOAD_INSTANCE"}
    own = [dialect.settings for dialect in registered().values()]
    own += [storage.settings for storage in storages().values()]
    for settings in filter(None, own):
        others |= {f"{PREFIX}{name.upper()}" for name in specs(settings)}
    gone = set(re.findall(r"~~`(CHUNKED_UPLOAD_\w+)`~~", page.read_text()))
    named = set(re.findall(r"CHUNKED_UPLOAD_[A-Z0-9_]*[A-Z0-9]", page.read_text()))
    assert named - set(KEYS) - others - gone == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_documents_compiles(page: Path) -> None:
    for number, code in enumerate(blocks(page, "python")):
        compile(code, f"{page.name}, block {number}", "exec")
