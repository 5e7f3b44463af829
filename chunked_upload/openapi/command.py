"""``chunked-upload openapi``: the description, for generators of clients."""

from __future__ import annotations

import json
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext


@click.command("openapi")
@click.option("--server", metavar="URL", help="The address of the service, for clients.")
@with_appcontext
def openapi(server: str | None) -> None:
    """Print the description of the API as OpenAPI 3.1."""
    from .document import make_document  # apispec takes a while to import

    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    servers = [{"url": (server or "/").rstrip("/") or "/"}]
    document = {"servers": servers, **make_document(app)}
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
