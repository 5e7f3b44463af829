"""One built-in model for the apps of many tests: mapping its class takes longer than most of them.

An app that has no database of its own gets one from the extension, with a new class for the
built-in model. Here the extension gets the same Flask-SQLAlchemy object for app after app, as in an
app factory's module. Each app still has engines, sessions and tables of its own.

Its engines share what SQLAlchemy compiles, too: a dialect, and a cache of statements. Compiling a
statement takes several times as long as running it, and each engine would do so again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from chunked_upload import ChunkedUpload

_EXTENSION = sys.modules[ChunkedUpload.__module__]

#: The settings that bring a table with them, and its model.
_MODELS = {
    "share": "ChunkedUploadShare",
    "tokens": "ChunkedUploadToken",
    "require_tokens": "ChunkedUploadToken",
    "max_bytes_per_day": "ChunkedUploadDay",
    "webhooks": "ChunkedUploadEvent",
}

#: Options of its engines, and its models.
_Kind = tuple[str, frozenset[str]]
_made: dict[_Kind, SQLAlchemy] = {}

#: Of the engines: the first that has been connected, by kind, SQLAlchemy's dialect and its driver.
_engines: dict[tuple[_Kind, str, str], Engine] = {}

#: SQLAlchemy's own attribute; where it has another name, each engine compiles its own again.
_CACHE = "_compiled_cache"


@contextmanager
def shared_model() -> Iterator[None]:
    """Have the extension take the shared object, in one test."""
    with (
        mock.patch.object(ChunkedUpload, "_database", _database_of),
        mock.patch.object(_EXTENSION, "SQLAlchemy", _database),
    ):
        yield
    for kind, db in list(_made.items()):
        if _names(db) != kind[1] or len(db.metadatas) > 1:
            _forget(kind)


_asked_by: list[ChunkedUpload] = []
_own_database = ChunkedUpload._database


def _database_of(extension: ChunkedUpload, app: Flask) -> tuple[SQLAlchemy, bool]:
    _asked_by.append(extension)
    try:
        return _own_database(extension, app)
    finally:
        _asked_by.pop()


def _database(app: Flask, *, engine_options: Mapping[str, Any]) -> SQLAlchemy:
    given = vars(_asked_by[-1])["_overrides"] | {
        name.removeprefix("CHUNKED_UPLOAD_").lower(): value
        for name, value in app.config.items()
        if name.startswith("CHUNKED_UPLOAD_")
    }
    models = frozenset(model for setting, model in _MODELS.items() if given.get(setting))
    kind = repr(sorted(engine_options.items())), models | {"ChunkedUploadRecord"}
    if kind not in _made:
        _made[kind] = SQLAlchemy(engine_options=dict(engine_options))
    db = _made[kind]
    db.init_app(app)
    if not app.config["SQLALCHEMY_ENGINE_OPTIONS"]:
        with app.app_context():
            for engine in db.engines.values():
                _share_compiled(kind, engine)
    return db


def _share_compiled(kind: _Kind, engine: Engine) -> None:
    key = kind, engine.dialect.name, engine.dialect.driver
    first = _engines.get(key)
    if first is None or getattr(first.dialect, "server_version_info", None) is None:
        _engines[key] = engine  # it has not asked the server yet
    elif hasattr(engine, _CACHE):
        engine.dialect = first.dialect
        setattr(engine, _CACHE, getattr(first, _CACHE))


def _forget(kind: _Kind) -> None:
    del _made[kind]
    for key in [key for key in _engines if key[0] == kind]:
        del _engines[key]


def _names(db: SQLAlchemy) -> set[str]:
    """Return the names of its models."""
    base: Any = db.Model
    return {mapper.class_.__name__ for mapper in base.registry.mappers}
