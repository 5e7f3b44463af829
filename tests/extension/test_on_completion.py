"""``on_completion``: what it gets, once, and what becomes of its exceptions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, Request, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.datastructures import FileStorage

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, UploadedFile
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, files, md5_of, records

MakeApp = Callable[..., Flask]
Hook = Callable[[UploadedFile, Request], None]


class Moody:
    """A hook that fails as often as it is told to, and notes its calls."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.calls: list[str] = []

    def __call__(self, file: UploadedFile, request: Request) -> None:
        self.calls.append(str(file.filename))
        if len(self.calls) <= self.failures:
            raise ZeroDivisionError("not in the mood")


def serve(app: Flask, *hooks: Any) -> Protocol:
    uploads = ChunkedUpload(app)
    for hook in hooks:
        uploads.on_completion(hook)
    create_tables(app)
    return Protocol(app.test_client())


@pytest.mark.one_database
def test_the_hook_gets_a_file_as_flask_users_know_them(make_app: MakeApp, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def hook(file: UploadedFile, given: Request) -> None:
        assert isinstance(file, FileStorage)
        assert given is request
        assert not file.stream.closed
        seen.update(
            filename=file.filename,
            content=file.stream.read(),
            path=file.path,
            size=file.size,
            content_length=file.content_length,
            md5=file.md5,
            title=file.upload.extra_fields["title"],
            status=file.upload.status,
        )
        file.stream.seek(0)
        file.save(tmp_path / "copy")

    app = make_app()
    upload_id = serve(app, hook).completed(b"hello", filename="a.txt", title="Mine")

    path = Path(seen.pop("path"))
    assert path.read_bytes() == b"hello"
    assert (tmp_path / "copy").read_bytes() == b"hello"
    assert seen == {
        "filename": "a.txt",
        "content": b"hello",
        "size": 5,
        "content_length": 5,
        "md5": md5_of(b"hello"),
        "title": "Mine",
        "status": 2,
    }
    assert upload_id


@pytest.mark.one_database
def test_the_file_may_be_moved_away(make_app: MakeApp, tmp_path: Path) -> None:
    """Then the record alone remains; its file is gone, and removing it is no error."""

    def hook(file: UploadedFile, request: Request) -> None:
        Path(file.path).rename(tmp_path / "mine")

    app = make_app()
    protocol = serve(app, hook)
    upload_id = protocol.completed(b"data")
    assert (tmp_path / "mine").read_bytes() == b"data"
    assert files(app) == []
    assert protocol.client.get(f"/uploads/{upload_id}/file").status_code == 404
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204


def test_a_repeated_completion_runs_the_hook_once(make_app: MakeApp) -> None:
    hook = Moody()
    protocol = serve(make_app(), hook)
    upload_id = protocol.upload(b"data")
    first = protocol.complete(upload_id, b"data")
    second = protocol.complete(upload_id, b"data")
    assert answer(first) == answer(second)
    assert hook.calls == ["file.bin"]


@pytest.mark.one_database
def test_several_hooks_run_in_the_order_of_their_registration(make_app: MakeApp) -> None:
    order: list[int] = []
    protocol = serve(
        make_app(), lambda file, request: order.append(1), lambda file, request: order.append(2)
    )
    protocol.completed(b"data")
    assert order == [1, 2]


@pytest.mark.one_database
def test_a_views_own_on_completion_replaces_or_extends_the_registered(make_app: MakeApp) -> None:
    order: list[str] = []

    class CompleteView(ChunkedUploadCompleteView):
        def on_completion(self, uploaded_file: UploadedFile, request: Request) -> None:
            order.append("view")
            super().on_completion(uploaded_file, request)

    app = make_app()
    uploads = ChunkedUpload(app, complete_view=CompleteView)
    uploads.on_completion(lambda file, request: order.append("registered"))
    create_tables(app)
    Protocol(app.test_client()).completed(b"data")
    assert order == ["view", "registered"]


@pytest.mark.one_database
def test_what_the_hook_raises_is_logged_and_undoes_nothing(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    protocol = serve(app, Moody(failures=1))
    with caplog.at_level(logging.ERROR):
        upload_id = protocol.completed(b"data", filename="a.txt")
    assert answer(protocol.state(upload_id))["status"] == 2
    assert "on_completion failed" in caplog.text
    assert upload_id in caplog.text
    assert "ZeroDivisionError: not in the mood" in caplog.text
    [record] = records(app)
    assert record.notified_on is None


def test_repeating_the_completion_retries_the_hook(make_app: MakeApp) -> None:
    hook = Moody(failures=2)
    protocol = serve(make_app(), hook)
    upload_id = protocol.upload(b"data")
    for _ in range(5):
        assert protocol.complete(upload_id, b"data").status_code == 200
    assert len(hook.calls) == 3


def test_retry_completions_retries_the_hook(make_app: MakeApp) -> None:
    hook = Moody(failures=2)
    app = make_app()
    serve(app, hook).completed(b"data")
    run = app.test_cli_runner()

    failed = run.invoke(args=["chunked-upload", "retry-completions"])
    assert failed.exit_code == 1
    assert "chunked_upload: 1 tried, 0 done." in failed.output
    assert "1 failed again; the log says why." in failed.output

    done = run.invoke(args=["chunked-upload", "retry-completions"])
    assert done.exit_code == 0
    assert done.output == "chunked_upload: 1 tried, 1 done.\n"

    idle = run.invoke(args=["chunked-upload", "retry-completions"])
    assert idle.output == "chunked_upload: 0 tried, 0 done.\n"
    assert len(hook.calls) == 3


def test_retry_completions_leaves_a_hook_that_is_running_alone(make_app: MakeApp) -> None:
    app, results = make_app(), list[Result]()

    def hook(file: UploadedFile, request: Request) -> None:
        with ThreadPoolExecutor(1) as elsewhere:
            run = app.test_cli_runner().invoke
            results.append(
                elsewhere.submit(run, args=["chunked-upload", "retry-completions"]).result()
            )

    serve(app, hook).completed(b"data")
    [result] = results
    assert (result.exit_code, result.output) == (0, "chunked_upload: 0 tried, 0 done.\n")


def test_retry_completions_goes_on_after_one_that_fails(make_app: MakeApp) -> None:
    """Also when the failing one has left the app's session unusable."""
    app = make_app()
    db = SQLAlchemy(app)

    class Document(db.Model):  # type: ignore[name-defined,misc]
        name: Mapped[str] = mapped_column(primary_key=True)

    broken = ["a.txt", "b.txt"]

    def hook(file: UploadedFile, request: Request) -> None:
        name = None if file.filename in broken else file.filename
        db.session.add(Document(name=name))
        db.session.commit()

    protocol = serve(app, hook)
    for name in ("a.txt", "b.txt", "c.txt"):
        protocol.completed(b"data", filename=name)
    broken.remove("b.txt")
    result = app.test_cli_runner().invoke(args=["chunked-upload", "retry-completions"])
    assert "chunked_upload: 2 tried, 1 done." in result.output
    with app.app_context():
        assert set(db.session.scalars(select(Document.name))) == {"b.txt", "c.txt"}


def test_retry_completions_leaves_other_upload_sets_and_open_uploads_alone(
    make_app: MakeApp,
) -> None:
    app = make_app()
    hook, other = Moody(failures=9), Moody()
    uploads = ChunkedUpload(app, name="first", url_prefix="/first")
    uploads.on_completion(hook)
    ChunkedUpload(app, name="second", url_prefix="/second").on_completion(other)
    create_tables(app)
    client = app.test_client()
    Protocol(client, "/first").completed(b"data")
    Protocol(client, "/first").upload(b"open")
    Protocol(client, "/second").completed(b"data")
    result = app.test_cli_runner().invoke(args=["chunked-upload", "retry-completions"])
    assert result.output.splitlines()[:2] == ["first: 1 tried, 0 done.", "second: 0 tried, 0 done."]
    assert len(other.calls) == 1


def test_a_completion_that_died_before_the_hook_is_finished_by_retrying(make_app: MakeApp) -> None:
    """As if the server had been killed between recording the completion and running the hook."""
    hook = Moody()
    app = make_app()
    protocol = serve(app, hook)
    protocol.upload(b"data")
    [record] = records(app)
    with app.app_context():
        engine = app.extensions["chunked_upload"]["chunked_upload"].engine
        record.md5 = engine.completion.checksums(record)["md5"]
        engine.completion.promote(record)
        assert engine.completion.commit(record)

    app.test_cli_runner().invoke(args=["chunked-upload", "retry-completions"])
    assert hook.calls == ["file.bin"]
    assert not [name for name in files(app) if name.startswith(".incoming/")]
