"""``flask chunked-upload create-token|list-tokens|revoke-token``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.http.access import tokens
from chunked_upload.records.tokens import token_model
from tests.conftest import create_tables
from tests.http.answers import refused

MakeApp = Callable[..., Flask]


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["chunked-upload", *words])


def printed(app: Flask, *words: str) -> object:
    """What a command prints as JSON."""
    result = run(app, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0)
    app = make_app()
    ChunkedUpload(app, require_tokens=True)
    create_tables(app)
    return app


def status(app: Flask, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get("/uploads/", headers=headers).status_code


def test_a_token_works_until_it_is_revoked(app: Flask) -> None:
    result = run(app, "create-token", "robot")
    token = result.output.splitlines()[0].split()[-1]
    assert "It counts from now on for: upload, read" in result.output
    assert status(app, token) == 200
    assert "1 token was revoked" in run(app, "revoke-token", "robot").output
    assert status(app, token) == 403


def test_the_list_knows_names_scopes_and_status_and_no_token(app: Flask) -> None:
    made = printed(app, "create-token", "ops", "--scope", "admin", "--scope", "read")
    printed(app, "create-token", "old", "--expires", "0")
    printed(app, "create-token", "gone", "--expires", "90d")
    printed(app, "revoke-token", "gone")
    listed = printed(app, "list-tokens")
    assert isinstance(listed, list)
    assert isinstance(made, dict)
    assert [(one["name"], one["status"]) for one in listed] == [
        ("ops", "valid"),
        ("old", "expired"),
        ("gone", "revoked"),
    ]
    assert listed[0]["scopes"] == ["read", "admin"]
    table = run(app, "list-tokens").output
    assert made["token"] not in table + json.dumps(listed)
    assert "read,admin" in table


def test_a_name_is_given_twice_only_where_that_is_meant(app: Flask) -> None:
    first = printed(app, "create-token", "robot")
    again = run(app, "create-token", "robot")
    assert again.exit_code == 1
    assert "counts already; revoke it first" in again.output
    second = printed(app, "create-token", "robot", "--beside")
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    printed(app, "revoke-token", "robot", "--id", str(first["id"]))
    assert (status(app, first["token"]), status(app, second["token"])) == (403, 200)
    printed(app, "revoke-token", "robot")
    assert printed(app, "create-token", "robot")


def test_what_cannot_be_revoked_is_said(app: Flask) -> None:
    result = run(app, "revoke-token", "nobody")
    assert result.exit_code == 1
    assert "list-tokens shows them" in result.output


def test_the_line_for_the_configuration_by_an_option(app: Flask) -> None:
    result = run(app, "create-token", "robot", "--configure")
    token, line = (line.split()[-1] for line in result.output.splitlines())
    assert line == f"robot:{tokens.hash_token(token)}"
    assert printed(app, "list-tokens") == []
    assert run(app, "create-token", "robot", "--configure", "--scope", "read").exit_code == 2


def test_an_app_without_tokens_says_how_to_have_them(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    for words in (["create-token", "a", "--scope", "read"], ["list-tokens"], ["revoke-token", "a"]):
        result = run(app, *words)
        assert result.exit_code == 1
        assert "CHUNKED_UPLOAD_REQUIRE_TOKENS=True" in result.output


def test_a_database_that_was_not_migrated_is_no_traceback(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, require_tokens=True)
    result = run(app, "create-token", "robot")
    assert result.exit_code == 1
    assert "no table 'chunked_upload_token': run `chunked-upload migrate` first" in result.output


def test_where_callers_need_no_token_that_is_said(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the stand-alone server, whose table of tokens is always there."""
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0)
    app = make_app()
    ChunkedUpload(app)
    token_model(app.extensions["sqlalchemy"])
    create_tables(app)
    result = run(app, "create-token", "robot")
    assert "CHUNKED_UPLOAD_REQUIRE_TOKENS=1 changes that" in result.stderr
    token = result.stdout.splitlines()[0].split()[-1]
    assert status(app, token) == 200
    run(app, "revoke-token", "robot")
    response = app.test_client().get("/uploads/", headers={"Authorization": f"Bearer {token}"})
    assert "revoked" in refused(response, 403)["reason"]
    assert app.test_client().get("/uploads/").status_code == 200
