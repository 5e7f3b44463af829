"""Place and name of completed files by a function of the record, as Django's ``upload_to``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload, ConfigurationError, LocalStorage
from tests.conftest import create_tables
from tests.extension.helpers import refusal
from tests.support.protocol import Protocol, files, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


def serve(app: Flask, upload_to: Any, **settings: Any) -> Protocol:
    ChunkedUpload(app, upload_to=upload_to, **settings)
    create_tables(app)
    return Protocol(app.test_client())


@pytest.mark.parametrize(
    ("chosen", "stored"),
    [
        ("2026/b.txt", "2026/b.txt"),
        ("b.txt", "b.txt"),
        ("albums/7/", "albums/7/a.txt"),
        ("中文/ü.txt", "中文/ü.txt"),
        ("a:b/.x.txt", "a_b/x.txt"),
    ],
)
def test_the_function_says_where_a_file_goes(make_app: MakeApp, chosen: str, stored: str) -> None:
    app = make_app()
    serve(app, lambda upload: chosen).completed(b"data", filename="a.txt")
    [record] = records(app)
    assert (record.path, record.filename) == (stored, "a.txt")
    assert files(app) == [stored]


def test_it_sees_the_checked_record(make_app: MakeApp) -> None:
    app = make_app()

    def by_content(upload: Any) -> str:
        return f"{upload.extra_fields['album']}/{upload.md5}"

    serve(app, by_content).completed(b"data", album="spring")
    assert files(app) == [f"spring/{md5_of(b'data')}"]


def test_it_is_a_setting_by_its_dotted_name_too(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_UPLOAD_TO="tests.extension.test_upload_to.somewhere")
    ChunkedUpload(app)
    create_tables(app)
    Protocol(app.test_client()).completed(b"data", filename="a.txt")
    assert files(app) == ["some/where/a.txt"]


def somewhere(upload: Any) -> str:
    return "some/where/"


@pytest.mark.parametrize(
    "chosen", ["../a", "/etc/passwd", "a/../../b", "a//b", None, 3, "x/" * 600]
)
def test_what_is_no_path_below_the_root_is_the_apps_mistake(make_app: MakeApp, chosen: Any) -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    protocol = serve(app, lambda upload: chosen)
    upload_id = protocol.upload(b"data")
    assert refusal(protocol.complete(upload_id, b"data"))[0] == 500
    assert protocol.state(upload_id).get_json()["status"] == 1
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204
    assert nothing_left(app)


@pytest.mark.parametrize("wrong", ["no.such.function", 3, lambda: "a"])
def test_what_is_no_such_function_is_refused_at_the_start(make_app: MakeApp, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="CHUNKED_UPLOAD_UPLOAD_TO"):
        ChunkedUpload(make_app(), upload_to=wrong)


@pytest.mark.both_databases
def test_after_a_crash_the_file_is_found_where_it_was_put(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the function would say something else now."""
    app, numbers = make_app(PROPAGATE_EXCEPTIONS=False), count()
    protocol = serve(app, lambda upload: f"{next(numbers)}/")
    upload_id = protocol.upload(b"data", filename="a.txt")
    promote = LocalStorage.promote

    def die_afterwards(self: LocalStorage, *arguments: Any) -> str:
        promote(self, *arguments)
        raise RuntimeError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(LocalStorage, "promote", die_afterwards)
        assert protocol.complete(upload_id, b"data").status_code == 500
    assert "0/a.txt" in files(app)
    assert protocol.complete(upload_id, b"data").status_code == 200
    assert files(app) == ["0/a.txt"]


@pytest.mark.both_databases
def test_after_a_crash_an_abort_removes_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app, numbers = make_app(PROPAGATE_EXCEPTIONS=False), count()
    protocol = serve(app, lambda upload: f"{next(numbers)}/", number_names=True)
    upload_id = protocol.upload(b"data", filename="a.txt")
    place = Path(app.instance_path) / "uploads" / "0"
    place.mkdir(parents=True)
    (place / "a.txt").write_bytes(b"another's")
    promote = LocalStorage.promote

    def die_afterwards(self: LocalStorage, *arguments: Any) -> str:
        assert promote(self, *arguments) == "0/a_1.txt"
        raise RuntimeError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(LocalStorage, "promote", die_afterwards)
        assert protocol.complete(upload_id, b"data").status_code == 500
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204
    assert files(app) == ["0/a.txt"]
    assert records(app) == []
