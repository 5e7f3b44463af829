"""``flask chunked-upload …``: what the cleaner removes and, above all, what it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.engine.plan import WritePlan
from chunked_upload.http.access.callers import hash_token
from chunked_upload.storage.base import StoredUpload
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, files, records

MakeApp = Callable[..., Flask]


def clean(app: Flask, *options: str, answers: str | None = None) -> Result:
    command = ["chunked-upload", "delete-expired-uploads", *options]
    return app.test_cli_runner().invoke(args=command, input=answers)


def counted(complete: int, incomplete: int, verb: str = "were") -> list[str]:
    def line(count: int, kind: str) -> str:
        if count == 1:
            return f"1 {kind} upload {verb.replace('were', 'was')} deleted."
        return f"{count} {kind} uploads {verb} deleted."

    return [line(complete, "complete"), line(incomplete, "incomplete")]


def age(app: Flask, *upload_ids: str, name: str = "chunked_upload") -> None:
    """Make uploads' time run out."""
    upload_set = app.extensions["chunked_upload"][name]
    with app.app_context():
        for record in records(app, name):
            if record.upload_id in upload_ids:
                past = utcnow() - timedelta(seconds=1)
                assert upload_set.engine.records.swap(record, {"expires_on": past})


@pytest.fixture
def old(app: Flask, protocol: Protocol) -> dict[str, str]:
    """Four uploads by name; the time of the ``old`` ones has run out."""
    made = {
        "old": answer(protocol.chunk(b"old", 0, 9, filename="old"))["upload_id"],
        "live": answer(protocol.chunk(b"live", 0, 9, filename="live"))["upload_id"],
        "old done": protocol.completed(b"old done", filename="old done"),
        "done": protocol.completed(b"done", filename="done"),
    }
    age(app, made["old"], made["old done"])
    return made


def left(app: Flask) -> set[str]:
    return {record.filename for record in records(app)}


def test_only_unfinished_uploads_past_their_time_are_deleted(
    app: Flask, protocol: Protocol, old: dict[str, str]
) -> None:
    result = clean(app)
    assert result.exit_code == 0
    assert result.output.splitlines() == counted(0, 1)
    assert left(app) == {"live", "old done", "done"}
    assert not [name for name in files(app) if old["old"] in name]
    assert protocol.state(old["old"]).status_code == 404
    for name in ("live", "old done", "done"):
        assert protocol.state(old[name]).status_code == 200
    with protocol.client.get(f"/uploads/{old['old done']}/file") as download:
        assert download.data == b"old done"
    assert clean(app).output.splitlines() == counted(0, 0)


def test_include_complete_deletes_completed_ones_of_that_age_too(
    app: Flask, old: dict[str, str]
) -> None:
    assert clean(app, "--include-complete").output.splitlines() == counted(1, 1)
    assert left(app) == {"live", "done"}
    assert not [name for name in files(app) if "old" in name]


def test_a_dry_run_shows_and_deletes_nothing(app: Flask, old: dict[str, str]) -> None:
    before = files(app)
    result = clean(app, "--dry-run", "--include-complete")
    shown = result.output.splitlines()
    assert shown[-2:] == counted(1, 1, "would be")
    assert sorted(line.split("'")[1] for line in shown[:-2]) == ["old", "old done"]
    assert left(app) == set(old)
    assert files(app) == before


def test_a_dry_run_asks_nothing(app: Flask, old: dict[str, str]) -> None:
    result = clean(app, "--dry-run", "--interactive")
    assert result.exit_code == 0
    assert "Do you want" not in result.output
    assert left(app) == set(old)


@pytest.mark.parametrize(("answers", "deleted"), [("y\nn\n", 1), ("n\ny\n", 1), ("y\ny\n", 2)])
def test_interactive_asks_for_each(
    app: Flask, old: dict[str, str], answers: str, deleted: int
) -> None:
    result = clean(app, "-i", "--include-complete", answers=answers)
    assert result.output.count("Do you want to delete <'old") == 2
    assert len(left(app)) == 4 - deleted


def test_an_upload_that_gets_a_chunk_meanwhile_is_left_alone(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk began in time, and is stored while the cleaner has already chosen the upload."""
    upload_id = answer(protocol.chunk(b"old", 0, 9))["upload_id"]
    [record] = records(app)
    with app.app_context():
        engine = app.extensions["chunked_upload"]["chunked_upload"].engine
        chunk = engine.begin(record, WritePlan(start=3, stop=9, total=9))
        chunk.write(b" enoug")
    age(app, upload_id)

    def store_then_yes(question: str) -> bool:
        chunk.finish_whole()
        chunk.commit()
        return True

    monkeypatch.setattr("click.confirm", store_then_yes)
    assert clean(app, "--interactive").output.splitlines() == counted(0, 0)
    assert answer(protocol.state(upload_id))["offset"] == 9
    assert protocol.complete(upload_id, b"old enoug").status_code == 200


def test_removals_that_were_cut_short_are_finished(
    app: Flask, protocol: Protocol, old: dict[str, str]
) -> None:
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    with app.app_context():
        for record in records(app):
            if record.filename in ("live", "done"):
                assert engine.records.swap(record, {"status": 3})  # DELETING, then killed
    assert protocol.state(old["live"]).status_code == 404
    dry = clean(app, "--dry-run")
    assert "live" in left(app)
    assert dry.output.splitlines()[-2:] == counted(0, 1, "would be")

    clean(app)
    assert left(app) == {"old done"}
    assert [name for name in files(app) if old["live"] in name] == []
    assert [Path(name).name for name in files(app)] == ["old done"]


def test_every_upload_set_is_cleaned(make_app: MakeApp) -> None:
    app = make_app()
    made = {}
    for name in ("photos", "videos"):
        ChunkedUpload(app, name=name, url_prefix=f"/{name}")
    create_tables(app)
    for name in ("photos", "videos"):
        protocol = Protocol(app.test_client(), f"/{name}")
        made[name] = answer(protocol.chunk(b"a", 0, 9))["upload_id"]
        age(app, made[name], name=name)
    assert clean(app).output.splitlines() == counted(0, 2)
    assert files(app) == []


def test_many_uploads_are_cleaned_in_batches(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunked_upload.records.repository._BATCH", 3)
    ids = [answer(protocol.chunk(b"a", 0, 9))["upload_id"] for _ in range(10)]
    age(app, *ids[:9])
    assert clean(app).output.splitlines() == counted(0, 9)
    assert [record.upload_id for record in records(app)] == ids[9:]


def test_one_that_cannot_be_deleted_does_not_keep_the_others(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [answer(protocol.chunk(b"a", 0, 9))["upload_id"] for _ in range(3)]
    age(app, *ids)
    storage = app.extensions["chunked_upload"]["chunked_upload"].engine.storage
    withdraw = storage.withdraw

    def failing(upload: StoredUpload, directory: str) -> None:
        if upload.upload_id == ids[0]:
            raise OSError(5, "Input/output error")
        withdraw(upload, directory)

    with monkeypatch.context() as broken:
        broken.setattr(storage, "withdraw", failing)
        result = clean(app)
        assert result.exit_code == 1
        assert result.output.splitlines()[:2] == counted(0, 2)
        assert "1 could not be deleted; the log says why." in result.output
        assert clean(app).exit_code == 1
    assert clean(app).exit_code == 0
    assert records(app) == []
    assert files(app) == []


def test_create_token_prints_a_token_and_its_line_of_configuration(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["chunked-upload", "create-token", "robot"])
    first, second = (line.rsplit(None, 1)[1] for line in result.output.splitlines())
    assert second == f"robot:{hash_token(first)}"
    assert len(first) >= 43


@pytest.mark.parametrize("name", ["robot", "a:b", "Jürgen Ω"])
def test_a_created_token_lets_in(make_app: MakeApp, name: str) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    result = app.test_cli_runner().invoke(args=["chunked-upload", "create-token", name])
    token, line = (line.split(":", 1)[1].strip() for line in result.output.splitlines())
    guarded = make_app(CHUNKED_UPLOAD_TOKENS=line)
    ChunkedUpload(guarded)
    create_tables(guarded)
    protocol = Protocol(guarded.test_client())
    headers = {"Authorization": f"Bearer {token}"}
    assert protocol.chunk(b"x", headers=headers).status_code == 200
    assert protocol.chunk(b"x", headers={"Authorization": "Bearer x"}).status_code == 403


@pytest.mark.parametrize("name", ["", " ", "a,b"])
def test_a_token_needs_a_name_that_the_configuration_can_hold(app: Flask, name: str) -> None:
    result = app.test_cli_runner().invoke(args=["chunked-upload", "create-token", name])
    assert result.exit_code == 2
    assert "a name must not be empty, nor have a comma in it" in result.output


def test_the_commands_appear_once_however_many_upload_sets(make_app: MakeApp) -> None:
    app = make_app()
    for name in ("photos", "videos"):
        ChunkedUpload(app, name=name, url_prefix=f"/{name}")
    shown = app.test_cli_runner().invoke(args=["chunked-upload", "--help"]).output
    for command in ("delete-expired-uploads", "retry-completions", "create-token"):
        assert shown.count(command) == 1
