"""One built-in model for the apps of many tests: mapping its class takes longer than most of them.

An app that has no database of its own gets one from the extension, with a new class for the
built-in model. Here the extension gets the same Flask-SQLAlchemy object for app after app, as in an
app factory's module. Each app still has engines, sessions and tables of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from chunked_upload import ChunkedUpload

_EXTENSION = sys.modules[ChunkedUpload.__module__]

#: By the options of its engines.
_made: dict[str, SQLAlchemy] = {}


@contextmanager
def shared_model() -> Iterator[None]:
    """Have the extension take the shared object, in one test."""
    with mock.patch.object(_EXTENSION, "SQLAlchemy", _database):
        yield
    for options, db in list(_made.items()):
        if _has_others(db):
            del _made[options]


def _database(app: Flask, *, engine_options: Mapping[str, Any]) -> SQLAlchemy:
    options = repr(sorted(engine_options.items()))
    if options not in _made:
        _made[options] = SQLAlchemy(engine_options=dict(engine_options))
    _made[options].init_app(app)
    return _made[options]


def _has_others(db: SQLAlchemy) -> bool:
    """Whether a test has put a model of its own on it."""
    base: Any = db.Model
    names = {mapper.class_.__name__ for mapper in base.registry.mappers}
    return bool(names - {"ChunkedUploadRecord"}) or len(db.metadatas) > 1
