"""What holds for each command: JSON for programs, and help that is not cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance.commands import command_group
from chunked_upload.server.command import cli
from tests.conftest import create_tables
from tests.extension.test_commands import age
from tests.support.protocol import Protocol, records

MakeApp = Callable[..., Flask]

#: They run until they are stopped, print JSON anyway, or have nothing to tell.
WITHOUT_JSON = {"serve", "openapi", "migrate"}


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command of a group and of the groups in it, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield (*above, name), command


def ours() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield from ((words, one) for words, one in commands(cli) if words[0] != "db")


def test_each_command_can_print_json() -> None:
    lacking = {
        " ".join(words)
        for words, command in ours()
        if not any("--json" in option.opts for option in command.params)
    }
    assert lacking == WITHOUT_JSON


@pytest.mark.parametrize("group", [cli, command_group()], ids=["chunked-upload", "flask"])
def test_no_line_of_help_is_cut_off(group: click.Group) -> None:
    groups = [(), *{words[:-1] for words, _ in commands(group) if words[:-1] not in ((), ("db",))}]
    assert ("events",) in groups
    for words in groups:
        shown = CliRunner().invoke(group, [*words, "--help"], terminal_width=80).output
        assert "..." not in shown.partition("Commands:")[2]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.on_completion(fail)
    create_tables(app)
    return app


def fail(uploaded_file: Any, request: Any) -> None:
    raise RuntimeError("not now")


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["chunked-upload", *words])


def test_a_cleaner_tells_in_json_what_it_has_deleted(app: Flask, protocol: Protocol) -> None:
    upload_id = (protocol.chunk(b"abc", 0, 9).get_json() or {})["upload_id"]
    age(app, upload_id)
    counts = {"complete": 0, "incomplete": 1, "failed": 0}
    seen = run(app, "delete-expired-uploads", "--dry-run", "--json")
    assert json.loads(seen.stdout) == {**counts, "dry_run": True, "upload_ids": [upload_id]}
    done = run(app, "delete-expired-uploads", "--json")
    assert json.loads(done.stdout) == {**counts, "dry_run": False}
    assert records(app) == []
    both = run(app, "delete-expired-uploads", "--json", "--interactive")
    assert (both.exit_code, "use one of them" in both.output) == (2, True)


def test_a_sweep_tells_in_json_what_it_has_found(app: Flask, protocol: Protocol) -> None:
    upload_id = (protocol.chunk(b"abc", 0, 9).get_json() or {})["upload_id"]
    [part] = Path(app.instance_path).rglob(f"{upload_id}.part")
    part.unlink()
    found = {"storage": "file", "parts": [], "records": [upload_id], "files": []}
    seen = run(app, "delete-orphans", "--grace", "0", "--json")
    assert json.loads(seen.stdout) == [{**found, "deleted": None}]
    done = run(app, "delete-orphans", "--grace", "0", "--delete", "--json")
    assert json.loads(done.stdout) == [{**found, "deleted": 1}]


def test_retried_completions_are_told_in_json(app: Flask, protocol: Protocol) -> None:
    protocol.completed(b"hello")
    result = run(app, "retry-completions", "--json")
    assert json.loads(result.stdout) == {"chunked_upload": {"tried": 1, "done": 0}}
    assert result.exit_code == 1


@pytest.fixture
def app_with_tokens(make_app: MakeApp) -> Flask:
    app = make_app()
    ChunkedUpload(app, require_tokens=True)
    create_tables(app)
    return app


def test_an_empty_list_of_tokens_says_so_and_others_have_a_head(app_with_tokens: Flask) -> None:
    app = app_with_tokens
    assert "There are no tokens in the database" in run(app, "list-tokens").output
    assert run(app, "create-token", "robot").exit_code == 0
    head, line = run(app, "list-tokens").output.splitlines()
    assert head.split() == ["id", "status", "scopes", "expires", "name"]
    assert line.split()[1:3] == ["valid", "upload,read"]
    assert head.index("status") == line.index("valid")


@pytest.mark.one_database
def test_names_and_ids_that_are_no_text_are_refused(app_with_tokens: Flask) -> None:
    app = app_with_tokens
    refused = run(app, "create-token", "caf\udce9")
    assert (refused.exit_code, "letters that can be shown" in refused.output) == (2, True)
    unknown = run(app, "show", "\udce9")
    assert unknown.exit_code == 1
    assert "there is no upload with the id" in unknown.output
