"""What every refusal must look like, and what it must leave untouched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.protocol import records


def refused(response: TestResponse, status: int, detail: str | None = None, **extra: Any) -> Any:
    """Check an error's form; returns its JSON.

    :param detail: the exact text; None when the contract fixes none.
    :param extra: further fields that must be there with these values.
    """
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    content = response.get_json()
    assert content["error"] == content["detail"]
    assert isinstance(content["detail"], str)
    assert content["detail"]
    if detail is not None:
        assert content["detail"] == detail
    for name, value in extra.items():
        assert content[name] == value
    return content


def stored(app: Flask) -> dict[str, bytes]:
    """Return every stored file with its bytes, writers' side files apart."""
    root = Path(app.instance_path) / "uploads"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix not in (".turn", ".lock")
    }


def offset_of(app: Flask, upload_id: str) -> int:
    """Return an upload's recorded offset."""
    [record] = [record for record in records(app) if record.upload_id == upload_id]
    offset: int = record.offset
    return offset


def content_of(app: Flask, upload_id: str) -> bytes:
    """Return the recorded bytes of an unfinished upload, or a completed upload's file."""
    [record] = [record for record in records(app) if record.upload_id == upload_id]
    root = Path(app.instance_path) / "uploads"
    place = record.path or f".incoming/{upload_id[:2]}/{upload_id}.part"
    return (root / place).read_bytes()[: record.offset]
