"""Dialects: our own and a stranger's go through the same door."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.engine import errors
from chunked_upload.engine.plan import WritePlan
from chunked_upload.http import dialect as registry
from chunked_upload.http.dialect import REFUSALS, Dialect, Recognition, Refusal, Route
from chunked_upload.http.dialects.complete_on_last_byte import CompleteOnLastByte
from chunked_upload.http.dialects.django import DjangoDialect
from chunked_upload.http.dialects.dropzone import DropzoneDialect
from chunked_upload.http.dialects.form import FormDialect
from chunked_upload.http.dialects.tus import TusDialect
from chunked_upload.http.views.receiving import ReceivingView
from chunked_upload.http.wire.incoming import Incoming, open_incoming
from chunked_upload.testing.dialects import DialectConformance
from tests.conftest import create_tables
from tests.http.forms import field, file, post_form
from tests.support.dropzone import DropzoneFile
from tests.support.tus import Tus, id_of

MakeApp = Callable[..., Flask]


class ToyAppendView(ReceivingView):
    """A toy: ``POST /uploads/toy`` with ``Toy-Name`` and raw bytes creates and completes."""

    def post(self, upload_id: str | None = None) -> Response:
        self.check_permissions(self.request)
        incoming = open_incoming(self.request, self.form_limits())
        self.validate(self.request)
        record = self.new_record(incoming)
        record.filename = self.request.headers["Toy-Name"]
        length = incoming.declared
        self.create(record, length=length, reserved=length)
        plan = WritePlan(start=0, stop=length, total=length, creates=True)
        with self.engine.begin(record, plan) as chunk:
            self.receive(incoming, chunk)
            self.commit_chunk(chunk)
        return self.reply({"toy": record.upload_id})


class ToyDialect(Dialect):
    """A dialect of another distribution, in one module."""

    name = "toy"
    title = "Toy"
    recognised_by = Recognition.HEADERS
    fields = frozenset({"toy"})
    refusals: ClassVar[Any] = {
        **REFUSALS,
        errors.FileTooLarge: Refusal(413, "no more than {error.limit}"),
    }
    request_headers = ("Toy-Name",)
    response_headers = ("Toy-Offset",)

    def routes(self, upload_set: Any) -> Iterable[Route]:
        return (Route("/toy", "toy", {"POST": ToyAppendView}),)

    def recognises_file(self, view: Any, incoming: Incoming, upload_id: str | None) -> bool:
        return "toy" in incoming.fields

    def take(self, view: ReceivingView, incoming: Incoming, upload_id: str | None) -> Response:
        return Response(f"toy took {b''.join(incoming).decode()}")


@pytest.mark.usefixtures("shared")
class TestTus(DialectConformance):
    dialect = TusDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        return id_of(Tus(client).upload(data, step=1000, filename=filename))


@pytest.mark.usefixtures("shared")
class TestToy(DialectConformance):
    dialect = ToyDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        reply = client.post("/uploads/toy", data=data, headers={"Toy-Name": filename})
        return str(reply.get_json()["toy"])


@pytest.mark.usefixtures("shared")
class TestDjango(DialectConformance):
    dialect = DjangoDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        half = (len(data) + 1) // 2
        upload_id = ""
        for start in range(0, len(data), half):
            piece = data[start : start + half]
            span = f"bytes {start}-{start + len(piece) - 1}/{len(data)}"
            form = {"file": (io.BytesIO(piece), filename)} | (
                {"upload_id": upload_id} if upload_id else {}
            )
            reply = client.post("/uploads/", data=form, headers={"Content-Range": span})
            upload_id = reply.get_json()["upload_id"]
        return upload_id


@pytest.mark.usefixtures("shared")
class TestDropzone(DialectConformance):
    dialect = DropzoneDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        sent = DropzoneFile(client, data, size=500, name=filename)
        replies = [sent.send(index) for index in range(sent.count)]
        return str(replies[-1].get_json()["upload_id"])


@pytest.mark.usefixtures("shared")
class TestCompleteOnLastByte(DialectConformance):
    dialect = CompleteOnLastByte

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        reply = client.post("/uploads/", data={"file[0]": (io.BytesIO(data), filename)})
        return str(reply.get_json()["uploads"][0]["upload_id"])


@pytest.mark.usefixtures("shared")
class TestForm(DialectConformance):
    dialect = FormDialect

    def send(self, client: FlaskClient, data: bytes, filename: str) -> str:
        reply = client.post("/uploads/form", data={"file": (io.BytesIO(data), filename)})
        return str(reply.get_json()["uploads"][0]["upload_id"])


@pytest.fixture
def toy(make_app: MakeApp) -> FlaskClient:
    """An upload set that speaks the toy dialect too."""
    app = make_app(CHUNKED_UPLOAD_CORS_ORIGINS=["https://a.example"])
    ChunkedUpload(app, dialects=[ToyDialect, "dropzone"])
    create_tables(app)
    return app.test_client()


def test_a_file_is_recognised_by_fields_on_a_shared_url(toy: FlaskClient) -> None:
    form = {"toy": "1", "file": (io.BytesIO(b"hello"), "a.txt")}
    assert toy.post("/uploads/", data=form).text == "toy took hello"


def test_its_fields_must_come_before_the_file(toy: FlaskClient) -> None:
    reply = post_form(toy, file(b"hello"), field("toy", "1"), span="bytes 0-4/5")
    assert reply.status_code == 400
    assert reply.get_json()["detail"] == "Toy's fields must come before the file"


def test_a_dialect_that_is_not_chosen_is_not_spoken(toy: FlaskClient) -> None:
    assert "chunked_upload.uploads" in toy.application.view_functions
    assert "chunked_upload.form" not in toy.application.view_functions


def test_the_default_dialect_is_always_spoken(toy: FlaskClient) -> None:
    form = {"file": (io.BytesIO(b"hello"), "a.txt")}
    reply = toy.post("/uploads/", data=form, headers={"Content-Range": "bytes 0-4/5"})
    assert reply.get_json()["offset"] == 5


def test_pages_elsewhere_may_send_and_read_its_headers(toy: FlaskClient) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    asked = {**headers, "Access-Control-Request-Headers": "toy-name"}
    reply = toy.options("/uploads/toy", headers=asked)
    assert "toy-name" in reply.headers["Access-Control-Allow-Headers"].lower()
    read = toy.get("/uploads/", headers=headers)
    assert "Toy-Offset" in read.headers["Access-Control-Expose-Headers"]


def test_each_dialect_has_its_own_words() -> None:
    too_large = errors.FileTooLarge(5)
    answers = [dialect().refusal(too_large) for dialect in (ToyDialect, DjangoDialect)]
    assert [(answer.status_code, answer.data["detail"]) for answer in answers] == [
        (413, "no more than 5"),
        (400, "Size of file exceeds the limit (5 bytes)"),
    ]


def test_a_name_that_is_not_registered(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match=r"'tos'; known are .*'dropzone'"):
        ChunkedUpload(make_app(), dialects=["tos"])


@pytest.mark.parametrize("given", ["dropzone", 5, {"dropzone": True}, [5], [int]])
def test_what_is_no_list_of_dialects_is_refused(make_app: MakeApp, given: Any) -> None:
    with pytest.raises(ConfigurationError, match="dialects="):
        ChunkedUpload(make_app(), dialects=given)


def test_entry_points_bring_dialects(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another distribution registers is spoken without a word in the app."""
    entry = EntryPoint("toy", f"{__name__}:ToyDialect", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    reply = app.test_client().post("/uploads/toy", data=b"hi", headers={"Toy-Name": "a.txt"})
    assert json.loads(reply.text)["toy"]


class Shouting(Dialect):
    """A dialect recognised by a header on URLs that it shares."""

    name = "shouting"
    title = "Shouting"
    recognised_by = Recognition.HEADERS

    def routes(self, upload_set: Any) -> Iterable[Route]:
        return (Route("/<upload_id>", "upload", {"PATCH": ShoutingView, "HEAD": ShoutingView}),)

    def recognises(self, request: Any) -> bool:
        return "Shout" in request.headers


class ShoutingView(ReceivingView):
    def patch(self, upload_id: str) -> Response:
        raise errors.OffsetMismatch(3)

    def head(self, upload_id: str) -> Response:
        return Response(headers={"Shouted": upload_id})


def test_dialects_share_urls_and_verbs(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, dialects=[Shouting])
    create_tables(app)
    client = app.test_client()
    mine = client.head(f"/uploads/{'a' * 32}", headers={"Shout": "1"})
    others = client.head(f"/uploads/{'a' * 32}")
    assert (mine.headers["Shouted"], others.status_code) == ("a" * 32, 404)
    assert client.patch(f"/uploads/{'a' * 32}").get_json()["offset"] == 3
    assert "PATCH" in client.options(f"/uploads/{'a' * 32}").headers["Allow"]
