"""A gunicorn whose parts have changed: the server says so at the start, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gunicorn.http.message
import gunicorn.http.unreader
import gunicorn.http.wsgi
import pytest

from chunked_upload.errors import ConfigurationError
from chunked_upload.server.gunicorn import parts
from tests.support.server import clean_environment

#: Read by every Python that starts: what gunicorn might have done in its next release.
CHANGED = """
import gunicorn.http.unreader
del gunicorn.http.unreader.Unreader.take_buffered
"""


def test_the_gunicorn_that_is_installed_has_every_part() -> None:
    parts.check()


def test_a_part_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gunicorn.http.unreader.Unreader, "take_buffered")
    with pytest.raises(ConfigurationError, match=r"Unreader\.take_buffered\(\), which"):
        parts.check()


def test_a_function_with_other_parameters_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def create(request: object) -> None: ...

    monkeypatch.setattr(gunicorn.http.wsgi, "create", create)
    with pytest.raises(ConfigurationError, match=r"no gunicorn\.http\.wsgi\.create\("):
        parts.check()


def test_a_module_that_has_moved_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gunicorn.http.body", None)
    with pytest.raises(ConfigurationError, match=r"no gunicorn\.http\.body\.Body"):
        parts.check()


def test_an_attribute_that_only_requests_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = gunicorn.http.message.Request.parse

    def renamed(self: Any, unreader: Any) -> Any:
        del self.must_close
        return parse(self, unreader)

    monkeypatch.setattr(gunicorn.http.message.Request, "parse", renamed)
    with pytest.raises(ConfigurationError, match=r"Request\(\)\.must_close"):
        parts.check()


def gunicorn_command() -> list[str]:
    worker = "chunked_upload.worker.UploadWorker"
    return [sys.executable, "-m", "gunicorn", "-k", worker, "wsgi:app"]


def serve_command() -> list[str]:
    return [str(Path(sys.executable).parent / "chunked-upload"), "serve"]


@pytest.mark.parametrize("command", [serve_command, gunicorn_command])
def test_the_server_ends_with_one_line(command: Callable[[], list[str]], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CHANGED)
    ended = subprocess.run(
        command(),
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    [line] = ended.stderr.splitlines()
    assert line.startswith("chunked-upload: gunicorn ")
    assert "Unreader.take_buffered" in line
