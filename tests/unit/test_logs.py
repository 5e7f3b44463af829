"""Log lines: JSON for machines, text for people, with their request and without secrets."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chunked_upload.logs import JsonFormatter, RequestFilter, TextFormatter, storable
from chunked_upload.logs.redaction import redacted
from chunked_upload.server.logs import is_json
from chunked_upload.support import log_context


class Log:
    """A logger of the test's own, and what it writes."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.logger = logging.Logger("chunked_upload.tests")
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatter)
        handler.addFilter(RequestFilter())
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def entry(self) -> dict[str, Any]:
        [line] = self.text.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def request_context() -> Iterator[None]:
    token = log_context.begin("request-1")
    yield
    log_context.end(token)


@pytest.mark.usefixtures("request_context")
def test_a_line_of_a_request_tells_the_request_the_upload_and_the_owner() -> None:
    log = Log(JsonFormatter())
    log_context.note_upload("0" * 32)
    log_context.note_owner("anna")
    log.logger.warning("%d bytes", 3, extra={"reason": "too few"})
    entry = log.entry
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "warning",
        "logger": "chunked_upload.tests",
        "message": "3 bytes",
        "reason": "too few",
        "request_id": "request-1",
        "upload_id": "0" * 32,
        "owner": "anna",
    }


def test_a_line_outside_of_a_request_tells_none() -> None:
    log = Log(JsonFormatter())
    log_context.note_upload("0" * 32)
    log.logger.warning("started")
    assert "upload_id" not in log.entry


@pytest.mark.usefixtures("request_context")
def test_a_line_for_people_ends_with_the_request() -> None:
    log = Log(TextFormatter())
    log.logger.error("no room")
    assert log.text[8:] == " ERROR   no room request_id=request-1\n"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_what_a_client_sends_cannot_forge_a_line(formatter: logging.Formatter) -> None:
    log = Log(formatter)
    log.logger.warning("file %s", "a\n12:00:00 ERROR forged\x1b[31m\u2028")
    assert len(log.text.splitlines()) == 1
    assert "\x1b" not in log.text


def test_an_exception_is_part_of_its_line() -> None:
    log = Log(JsonFormatter())
    try:
        raise ValueError("Bearer abcdefgh12345678")
    except ValueError:
        log.logger.exception("failed")
    assert "Traceback" in log.entry["exception"]
    assert "abcdefgh" not in log.text


def test_an_exception_cannot_forge_a_line_nor_control_a_terminal() -> None:
    log = Log(TextFormatter())
    try:
        raise ValueError("\x1b[2J\n12:00:00 INFO    all is well")
    except ValueError:
        log.logger.exception("failed")
    assert "\x1b" not in log.text
    assert all(line.startswith("  ") for line in log.text.splitlines()[1:])


def test_a_long_line_of_question_marks_is_read_once() -> None:
    began = time.process_time()
    assert redacted("?" * 100_000) == "?" * 100_000
    assert time.process_time() - began < 10  # reading on from each took minutes


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", r"a\x00b"),
        ("caf\udce9.txt", r"caf\udce9.txt"),
        ("Bearer abc", "Bearer …"),
        ("é" * 50, "é" * 20),
    ],
    ids=["nul", "surrogate", "secret", "long"],
)
def test_what_is_stored_of_a_message_is_what_every_database_takes(text: str, stored: str) -> None:
    assert storable(text, 20) == stored


SECRET = "swordfish-7Hh2k9"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}",
        f"header bearer {SECRET} refused",
        f"Cookie: {SECRET}",
        f"chup_{SECRET} is unknown",
        f"chut_{SECRET}.{SECRET} is unknown",
        f"whsec_{SECRET}/+=",
        f"GET /uploads/?ticket={SECRET} failed",
        f"https://hooks.example.org/in?key={SECRET}&a=b",
        f"/uploads/shared/{'a' * 22}.1796278800.{SECRET}",
        f"Cookie: a=b; session={SECRET}; c=d; other={SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}', 'Cookie': 'session={SECRET}'}}",
        f"{{'HTTP_AUTHORIZATION': b'Basic {SECRET}'}}",
        f'Authorization: Digest username="anna", response="{SECRET}"',
        f"X-API-Key: {SECRET}",
        f"X-CSRFToken: {SECRET}",
        f"could not connect to postgresql+psycopg://anna:{SECRET}@db.example.org/uploads",
        f"could not connect: host=db user=anna password={SECRET}",
        f"/uploads/???a?token={SECRET}",
    ],
)
def test_secrets_are_not_shown(formatter: logging.Formatter, line: str) -> None:
    log = Log(formatter)
    log.logger.warning("%s", line)
    log.logger.warning("seen", extra={"reason": line, "headers": [line]})
    assert SECRET not in log.text
    assert "…" in log.text or "\\u2026" in log.text


@pytest.mark.parametrize("given", ["abc", "550e8400-e29b-41d4-a716-446655440000", "a.b:c_d", "9"])
def test_a_usual_request_id_is_taken(given: str) -> None:
    assert log_context.request_id(given) == given


@pytest.mark.parametrize("given", [None, "", "a b", "a" * 65, "a\n", "-a", "é", 'a"b', "a,b"])
def test_any_other_is_replaced(given: str | None) -> None:
    made = log_context.request_id(given)
    assert made != given
    assert log_context.request_id(made) == made


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("log_format", "terminal", "json_lines"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("json", True, True),
        ("text", False, False),
    ],
)
def test_the_format_is_that_of_the_setting_or_fits_the_stream(
    log_format: str, terminal: bool, json_lines: bool
) -> None:
    assert is_json(log_format, Stream(terminal)) is json_lines
