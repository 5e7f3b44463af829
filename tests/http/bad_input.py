"""What offset dialects must do with bad input, whichever of them it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from werkzeug.test import TestResponse

from tests.http.answers import stored
from tests.support.protocol import records

#: A number that no 64-bit column takes, and one that Python itself refuses to read.
HUGE = ("9223372036854775808", "9" * 30, "9" * 5000)


def bad_numbers(good: str = "5") -> Iterator[str]:
    """Return spoilt forms of a number, doubled headers as WSGI joins them."""
    yield from (f"{good}, {good}", f"{good},{good}", f"+{good}", f"-{good}", f"-{good}, {good}")
    yield from (f"{good} {good}", "", " ", "x", "0x5", "1_0", "5.0", "1e3", "nan", "é", "Ù¥")
    yield from ("²", "5;A", "(5)", '"5"', ":5:", "?1", "null", "5\t5", "%35")
    yield from HUGE


def bad_base64() -> Iterator[str]:
    """Return what is no Base64, or not all of it."""
    yield from ("!!!!", "YQ", "Y Q==", "YQ==YQ", "====", "YQ=", "é", "YQ\t==", "YQ==,", "_-_-")


def bad_booleans() -> Iterator[str]:
    """Return what is no boolean of a structured field."""
    yield from ("?2", "?", "1", "true", "?1, ?1", "?0, ?1", "", "é", "?1 ?1", "(?1)", "?1;")


def snapshot(app: Flask) -> tuple[dict[str, bytes], list[tuple[str, int, int, int | None]]]:
    """Return the names of all files, their recorded bytes, and where every record stands.

    Bytes beyond an unfinished upload's offset are garbage, to be overwritten.
    """
    found = [(r.upload_id, r.offset, r.status, r.length) for r in records(app)]
    ends = {f"{upload_id}.part": offset for upload_id, offset, _, _ in found}
    held = {path: data[: ends.get(Path(path).name)] for path, data in stored(app).items()}
    return held, found


def check_refused(answer: TestResponse, *statuses: int, about: object = "") -> None:
    """Check the form of a refusal: one of these statuses (by default any 4xx), JSON, and words."""
    status = answer.status_code
    expected = status in statuses if statuses else 400 <= status < 500
    assert expected, f"{about!r:.100}: {answer.status} {answer.text}"
    if answer.request.method == "HEAD":
        return
    assert answer.mimetype in ("application/json", "application/problem+json")
    content = answer.json
    assert isinstance(content, dict)
    assert content["detail"]
    assert content["error"] == content["detail"]
