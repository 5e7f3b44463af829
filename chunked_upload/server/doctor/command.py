"""The command ``chunked-upload doctor``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo

from chunked_upload.errors import ChunkedUploadError, ConfigurationError
from chunked_upload.records.failures import DatabaseProblem

from . import host, proxies, service
from .finding import Finding, Verdict, ok, problem

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red"}


def _address(_context: Any, _parameter: Any, value: str | None) -> str | None:
    if value is not None and not re.match(r"https?://[^/]", value):
        raise click.BadParameter("must be an address such as https://uploads.example.org")
    return value


@click.command(short_help="Look over this installation; say what is wrong.")
@click.option(
    "--url",
    callback=_address,
    help="The public address: also look at what proxies make of a request.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(context: click.Context, url: str | None, as_json: bool) -> None:
    """Look over this installation, and say what to do about what is wrong.

    Run it as the server's user and in its environment. It mends nothing itself. Exit code: 1 if
    something does not work.
    """
    found = list(_examine(context.ensure_object(ScriptInfo), url))
    worst = {finding.verdict for finding in found}
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        _print(found)
    if Verdict.PROBLEM in worst:
        sys.exit(1)


def _examine(script: ScriptInfo, url: str | None) -> Iterator[Finding]:
    try:
        app = script.load_app()
    except (ConfigurationError, OSError) as error:
        yield problem(
            "settings", str(error), "Correct it first; nothing else can be checked before."
        )
        return
    yield ok("settings", "all are valid, and they fit together")
    yield from _carefully("versions", lambda: host.versions(app))
    yield from _carefully("instance folder", lambda: host.instance_folder(app))
    with app.app_context():
        yield from _of_service(app)
    yield from _carefully("open files", host.limits)
    if url is not None:
        yield from _carefully("proxy", lambda: proxies.through(app, url))


def _of_service(app: Flask) -> Iterator[Finding]:
    found = list(_carefully("database", lambda: service.database(app)))
    yield from found
    yield from _carefully("storage", lambda: service.storages(app))
    yield from _carefully("disks", lambda: host.file_systems(service.places(app)))
    yield from _carefully("keys", lambda: service.keys(app))
    if not any(finding.verdict is Verdict.PROBLEM for finding in found):
        yield from _carefully("care", lambda: service.care(app))


def _carefully(part: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a look finds; a look that fails is a finding, too."""
    try:
        yield from look()
    except (OSError, DatabaseProblem, ChunkedUploadError) as error:
        [said, *_] = str(error).strip().splitlines() or [type(error).__name__]
        yield problem(part, f"this could not be checked: {said}", "See the lines above.")


def _print(found: list[Finding]) -> None:
    width = max(len(finding.part) for finding in found)
    for finding in found:
        mark = click.style(f"{finding.verdict:<7}", fg=_COLOURS[finding.verdict])
        click.echo(f"{mark}  {finding.part:<{width}}  {finding.said}")
        if finding.advice:
            click.echo(f"{'':<{width + 9}}  -> {finding.advice}")
    wrong = sum(finding.verdict is Verdict.PROBLEM for finding in found)
    doubtful = sum(finding.verdict is Verdict.WARNING for finding in found)
    click.echo(f"\nProblems: {wrong}. Warnings: {doubtful}.")
