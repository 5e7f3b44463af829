"""``/openapi.json``: a description of every request, which is valid OpenAPI 3.1."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from chunked_upload import ChunkedUpload, ChunkedUploadError, ConfigurationError, UploadNotFound
from chunked_upload.http.dialect import Dialect, Recognition, Route
from chunked_upload.http.operation import Answer, Operation
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.openapi.document import make_document
from chunked_upload.server.app import create_app

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


@pytest.fixture
def standalone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The stand-alone server's app."""
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("CHUNKED_UPLOAD_SHARE", "1")
    return create_app("testing")


@pytest.fixture
def extension(make_app: MakeApp) -> Flask:
    """An app with several upload sets, and all that can be switched on."""
    sets: dict[str, Any] = {"photos": {}}
    app = make_app(
        CHUNKED_UPLOAD_OPENAPI=True, CHUNKED_UPLOAD_METRICS=True, CHUNKED_UPLOAD_SETS=sets
    )
    ChunkedUpload(app, url_prefix="/api/v1/files")
    ChunkedUpload(app, name="docs", url_prefix="/docs", dialects=["tus"])
    return app


@pytest.fixture(params=["standalone", "extension"])
def any_app(request: pytest.FixtureRequest, standalone: Flask, extension: Flask) -> Flask:
    return {"standalone": standalone, "extension": extension}[request.param]


def template(rule: str) -> str:
    """Return a rule of Flask's, or a path of a document, with ``{}`` for each part."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", rule)


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (verb.upper(), template(path))
        for path, item in document["paths"].items()
        for verb in item
        if verb != "parameters"
    }


def routed(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield each verb and URL that is served, without OPTIONS, which all of them answer."""
    upload_sets = app.extensions["chunked_upload"]
    by_blueprint = {one.blueprint: one for one in upload_sets.values()}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" and app.has_static_folder:  # the app's own
            continue
        blueprint, _, endpoint = rule.endpoint.rpartition(".")
        if blueprint not in by_blueprint:
            others = {"GET", "HEAD"} if blueprint == "_uploads" else rule.methods or set()
            yield from ((verb, template(rule.rule)) for verb in others - {"OPTIONS"})
            continue
        upload_set = by_blueprint[blueprint]
        [url] = [one for one in upload_set.urls.values() if one.endpoint == endpoint]
        for verb, views in url.views.items():
            if verb != "OPTIONS" and any(hasattr(v.view_class, verb.lower()) for _, v in views):
                yield verb, template(rule.rule)


def test_every_route_is_described_and_every_description_is_routed(any_app: Flask) -> None:
    """Whoever adds a route describes it beside its view: ``Route(operations=…)``."""
    told, served = operations(make_document(any_app)), set(routed(any_app))
    assert served - told == set()
    assert {one for one in told if one[0] != "OPTIONS"} - served == set()


def test_every_request_of_the_protocol_page_is_described(standalone: Flask) -> None:
    table = PROTOCOL.read_text().partition("## Who the caller is")[0]
    wanted = set()
    for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE):
        spans = re.findall(r"`([^`]+)`", row)
        for path in (part for span in spans for part in re.findall(r"(/\S.*)", span)):
            verbs = {verb for span in spans for verb in re.findall(r"\b[A-Z]{3,}\b", span)}
            wanted |= {(verb, template(path.partition("?")[0])) for verb in verbs}
    assert len(wanted) >= 24
    assert wanted - operations(make_document(standalone)) == set()


def test_it_is_valid(any_app: Flask) -> None:
    document = make_document(any_app)
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator({**document, "servers": [{"url": "/"}]}).validate()


def test_names_of_operations_are_unique(any_app: Flask) -> None:
    names = [
        operation["operationId"]
        for item in make_document(any_app)["paths"].values()
        for operation in item.values()
    ]
    assert len(names) == len(set(names))


def test_examples_fit_their_schemas(standalone: Flask) -> None:
    """Those of answers and of refusals; the latter are what the views render."""
    from openapi_schema_validator import OAS31Validator

    document = make_document(standalone)
    checked = 0
    for item in document["paths"].values():
        for operation in item.values():
            bodies = [*operation["responses"].values(), operation.get("requestBody", {})]
            for media in (m for body in bodies for m in body.get("content", {}).values()):
                schema = {**media["schema"], "components": document["components"]}
                for example in media.get("examples", {}).values():
                    OAS31Validator(schema).validate(example["value"])
                    checked += 1
    assert checked > 100


def test_it_is_served_where_the_app_asks_for_it(extension: Flask) -> None:
    client = extension.test_client()
    first = client.get("/openapi.json", headers={"X-Ignored": "1"})
    assert first.status_code == 200
    assert first.mimetype == "application/json"
    assert first.get_json()["servers"] == [{"url": "http://localhost"}]
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    below = client.get("/openapi.json", environ_overrides={"SCRIPT_NAME": "/up"})
    assert below.get_json()["servers"] == [{"url": "http://localhost/up"}]
    assert below.headers["ETag"] != first.headers["ETag"]


def test_an_app_that_does_not_ask_has_no_such_url(client: FlaskClient) -> None:
    assert client.get("/openapi.json").status_code == 404


def test_an_app_with_a_description_of_its_own_is_told(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_OPENAPI=True)
    app.add_url_rule("/openapi.json", "own", lambda: "{}")
    with pytest.raises(ConfigurationError, match=r"the URL /openapi\.json, which this app has"):
        ChunkedUpload(app)


def test_the_command_prints_it(extension: Flask) -> None:
    arguments = ["chunked-upload", "openapi", "--server", "https://uploads.example.org/"]
    printed = extension.test_cli_runner().invoke(args=arguments)
    document = json.loads(printed.output)
    assert document["servers"] == [{"url": "https://uploads.example.org"}]
    assert "/api/v1/files/complete" in document["paths"]


def test_the_server_is_where_the_proxy_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("CHUNKED_UPLOAD_PROXY_HOPS", "1")
    headers = {
        "X-Forwarded-Host": "uploads.example.org",
        "X-Forwarded-Prefix": "/up",
        "X-Forwarded-Proto": "https",
    }
    client = create_app("testing").test_client()
    told = client.get("/openapi.json", headers=headers).get_json()
    assert told["servers"] == [{"url": "https://uploads.example.org/up"}]
    assert "/uploads/complete" in told["paths"]
    page = client.get("/openapi", headers=headers)
    assert 'src="/up/uploads/static/openapi.js"' in page.text


class ToyView(ChunkedUploadBaseView):
    def put(self) -> Response:
        return self.reply({})


class ToyRefused(ChunkedUploadError):
    def __init__(self) -> None:
        super().__init__(402, detail="Toys cost money")


class ToyDialect(Dialect):
    """A dialect of another distribution, which describes its own requests."""

    name = "described_toy"
    title = "Toy"
    recognised_by = Recognition.HEADERS

    def routes(self, upload_set: Any) -> Iterable[Route]:
        def operations(upload_set: Any) -> Iterable[Operation]:
            yield Operation(
                verb="PUT",
                name="put_toy",
                title="Put a toy",
                topic=self.title,
                answers={200: Answer(meaning="It is there.")},
                refusals=(ToyRefused(), UploadNotFound()),
            )

        return (Route("/toy", "toy", {"PUT": ToyView}, operations=operations),)


def test_another_dialect_describes_its_own_requests(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, dialects=[ToyDialect])
    told = make_document(app)["paths"]["/uploads/toy"]["put"]
    assert (told["operationId"], told["tags"]) == ("put_toy", ["Toy"])
    assert {"200", "402", "404", "503"} <= told["responses"].keys()
    [content] = told["responses"]["402"]["content"].values()
    assert content["examples"]["ToyRefused"]["value"]["detail"] == "Toys cost money"


@pytest.mark.parametrize(
    ("config", "security"),
    [
        ({}, [{}]),
        ({"CHUNKED_UPLOAD_TOKENS": {"alice": "a" * 64}}, [{"token": []}]),
    ],
)
def test_it_says_whether_a_token_is_needed(
    make_app: MakeApp, config: dict[str, Any], security: list[Any]
) -> None:
    app = make_app(**config)
    ChunkedUpload(app)
    document = make_document(app)
    assert document["security"] == security
    assert document["paths"]["/uploads/csrf-token"]["get"]["security"] == []


def test_answers_may_have_more_fields(standalone: Flask) -> None:
    """Those that an app's schemas and hooks add."""
    schemas = make_document(standalone)["components"]["schemas"]
    assert [name for name, one in schemas.items() if "additionalProperties" in one] == []
