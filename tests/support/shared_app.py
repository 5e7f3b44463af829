"""One Flask app for all tests that configure nothing, emptied before each of them.

Making an app, its model, its statements and its tables takes longer than most tests of a request.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import delete

from chunked_upload import ChunkedUpload


class SharedApp:
    """An app with the service at ``/uploads``, its data in ``directory``."""

    def __init__(self, directory: Path, database_uri: str) -> None:
        self.app = Flask("tests", instance_path=str(directory))
        self.app.config.update(
            TESTING=True, SECRET_KEY="tests", SQLALCHEMY_DATABASE_URI=database_uri
        )
        ChunkedUpload(self.app)
        with self.app.app_context():
            self.app.extensions["sqlalchemy"].create_all()
        self._before = self._state()

    def empty(self) -> Flask:
        """Remove all records and files; returns the app."""
        upload_set = self.app.extensions["chunked_upload"]["chunked_upload"]
        with self.app.app_context():
            upload_set.db.session.execute(delete(upload_set.model))
            upload_set.db.session.commit()
            upload_set.db.session.remove()
        for path in (Path(self.app.instance_path) / "uploads").glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return self.app

    def unchanged(self) -> bool:
        """Whether the app is configured as it was made."""
        return bool(self._state() == self._before)

    def close(self) -> None:
        """Close its connections to the database."""
        with self.app.app_context():
            for engine in self.app.extensions["sqlalchemy"].engines.values():
                engine.dispose()

    def _state(self) -> Any:
        hooks = self.app.extensions["chunked_upload"]["chunked_upload"].hooks
        functions: list[dict[Any, list[Callable[..., Any]]]] = [
            self.app.before_request_funcs,
            self.app.after_request_funcs,
            self.app.teardown_request_funcs,
        ]
        return (
            dict(self.app.config),
            type(self.app.session_interface),
            [
                {key: list(value) for key, value in by_blueprint.items()}
                for by_blueprint in functions
            ],
            {key: str(value) for key, value in vars(hooks).items()},
        )
