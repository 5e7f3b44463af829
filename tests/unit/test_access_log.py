"""The access log's logger: what an operator adds to it hears of every request."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import create_environ

from chunked_upload.server import access_log as accesslog


class Kept(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged_app() -> Iterator[Flask]:
    logger, app = accesslog.logger, Flask("app")
    state = logger.handlers[:], logger.level, logger.propagate
    logger.handlers.clear()
    accesslog.init_app(app)
    yield app
    logger.handlers[:], logger.level, logger.propagate = state


def test_a_line_goes_to_standard_output(
    logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    logged_app.test_client().get("/none", headers={"User-Agent": "me"})
    [line] = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert (entry["path"], entry["status"], entry["agent"]) == ("/none", 404, "me")


def test_a_line_says_when_and_from_where(
    logged_app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [1796000000.0, 1796000000.007, 1796000000.9996, 1796000059.5]
    for now in times:
        monkeypatch.setattr(time, "time", lambda now=now: now)
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/nöne".encode().decode("latin-1")}
        list(logged_app.wsgi_app({**create_environ(), **environ, "REMOTE_ADDR": None}, ignore))
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [datetime.fromisoformat(entry["time"]).timestamp() for entry in entries]
    assert told == pytest.approx(times, abs=0.001)
    assert all(len(entry["time"]) == len("2026-11-29T11:13:00.443+00:00") for entry in entries)
    assert {(entry["path"], entry["remote"]) for entry in entries} == {("/nöne", None)}


def ignore(*_: Any) -> Any:
    """Start no response."""


def test_a_handler_of_the_operators_own_gets_records(
    logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Kept()
    accesslog.logger.addHandler(kept)
    logged_app.test_client().get("/none")
    [record] = kept.records
    assert record.name == "chunked_upload.access"
    assert record.getMessage() == capsys.readouterr().out.strip()


def test_a_shared_files_link_is_logged_without_its_signature(
    logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = f"/files/shared/{'a' * 22}.1796278800"
    for rest in (f".{'s' * 43}", "", f".{'s' * 43}/", f"s{'s' * 43}/file"):
        logged_app.test_client().get(shown + rest)
    for line in capsys.readouterr().out.splitlines():
        path = json.loads(line)["path"]
        assert path.startswith(f"{shown}…")
        assert "s" not in path.removeprefix(shown).removesuffix("/file")


@pytest.mark.parametrize("on", ["logger", "handler"])
def test_a_filter_can_keep_lines_out(
    on: str, logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_health(record: logging.LogRecord) -> bool:
        return "/healthz" not in record.getMessage()

    place = accesslog.logger if on == "logger" else accesslog.logger.handlers[0]
    place.addFilter(no_health)
    try:
        logged_app.test_client().get("/healthz")
        logged_app.test_client().get("/none")
    finally:
        place.removeFilter(no_health)
    [line] = capsys.readouterr().out.splitlines()
    assert "/none" in line


def test_nothing_is_logged_above_its_level(
    logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    accesslog.logger.setLevel(logging.WARNING)
    logged_app.test_client().get("/none")
    assert capsys.readouterr().out == ""


def test_a_line_for_people_is_one_line_whatever_the_path(
    logged_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    app = Flask("another")
    accesslog.init_app(app, log_format="text")
    app.test_client().get("/no%0Ane", headers={"X-Request-ID": "abc-1"})
    [line] = capsys.readouterr().out.splitlines()
    assert line[8:].startswith(" 404 GET    /no\\nne ")
    assert line.endswith('request_id="abc-1"')
