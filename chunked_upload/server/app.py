"""The stand-alone server's app: the extension in a Flask app of its own.

Configuration comes from one of the classes here (``config.py`` names them), over which the
environment wins. Everything the server keeps for itself (database, secret key, uploads) lies in the
instance folder: ``CHUNKED_UPLOAD_INSTANCE``, else ``instance`` in the working directory.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from werkzeug.utils import import_string

from chunked_upload.errors import ConfigurationError
from chunked_upload.extension import ChunkedUpload
from chunked_upload.records.day_bytes import day_model
from chunked_upload.records.durability import add_reserve, has_room
from chunked_upload.records.events import event_model
from chunked_upload.records.journal import journal_model
from chunked_upload.records.shares import share_model
from chunked_upload.records.tokens import token_model
from chunked_upload.settings.keys import Settings, from_environment

from . import access_log, database
from .admins import AdminTokens
from .doctor.proxies import seen
from .forwarded import believe_proxies
from .migration import Migrations
from .operations import describe_server
from .private_files import locked, make_folder
from .shared_counts import share_counts

#: How long unfinished uploads live here, if nobody says otherwise. The page says "come back
#: tomorrow", so a day, as in django-chunked-upload, is too short for people.
UNFINISHED_LIFE = timedelta(days=7)

#: How long to wait for another process that makes the secret key.
_LOCK_SECONDS = 10.0


class DevelopmentConfig:
    """Nothing to configure: a secret key is made once and kept in the instance folder."""

    SECRET_KEY: str | None = None
    MAKE_SECRET_KEY: ClassVar[bool] = True
    SESSION_COOKIE_SAMESITE: ClassVar[str] = "Lax"


class TestingConfig(DevelopmentConfig):
    """For tests: exceptions come through."""

    TESTING: ClassVar[bool] = True
    SECRET_KEY = "only for tests"  # noqa: S105 - and only those


class ProductionConfig(DevelopmentConfig):
    """Refuses to start without a secret key; cookies only over HTTPS."""

    MAKE_SECRET_KEY: ClassVar[bool] = False
    SESSION_COOKIE_SECURE: ClassVar[bool] = True


CONFIGS = {
    "development": DevelopmentConfig,
    "testing": TestingConfig,
    "production": ProductionConfig,
}


class LastingSessions(SecureCookieSessionInterface):
    """Cookies that outlive the browser, so that after its crash a visitor's uploads are found.

    They last for ``PERMANENT_SESSION_LIFETIME``, by default 31 days from the first upload.
    """

    #: No answer renews the cookie (http/shortcut.py).
    chunked_upload_keeps_cookies: ClassVar[bool] = True

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path below which browsers send the cookie: the prefix of the proxy, if any."""
        configured: str | None = app.config["SESSION_COOKIE_PATH"]
        return configured or request.script_root or "/"

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime:
        """Return when browsers forget the cookie."""
        return datetime.now(UTC) + app.permanent_session_lifetime


def create_app(config: Any = None) -> Flask:
    """Make the stand-alone server's app.

    :param config: a class, its dotted name, or ``development``, ``testing``, ``production``; by
        default what ``CHUNKED_UPLOAD_CONFIG`` names, else ``development``.
    :raises ConfigurationError: for a setting that cannot work.
    """
    instance = Path(os.environ.get("CHUNKED_UPLOAD_INSTANCE", "instance")).absolute()
    # No static folder: the extension's own view sends compressed files.
    app = Flask(__name__, instance_path=str(instance), static_folder=None)
    make_folder(instance)
    app.session_interface = LastingSessions()
    _configure(app, config or os.environ.get("CHUNKED_UPLOAD_CONFIG") or "development")
    try:
        uploads = ChunkedUpload(app)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise ConfigurationError(database.problem(error)) from error
    db = app.extensions["sqlalchemy"]
    # Whatever the settings, since migrations make these tables.
    share_model(db)
    token_model(db)
    event_model(db)
    day_model(db)
    journal_model(db)
    app.extensions["migrate"] = Migrations(app)
    with app.app_context():
        settings = uploads.upload_set.settings
        add_reserve(db.engine)
    _name_cookie(app, settings)
    if settings.metrics:
        share_counts(app)
    access_log.init_app(app, log_format=settings.log_format)
    if settings.proxy_hops:
        app.wsgi_app = believe_proxies(  # type: ignore[method-assign]
            app.wsgi_app, settings.proxy_hops
        )
    _add_pages(app, uploads)
    return app


def _name_cookie(app: Flask, settings: Settings) -> None:
    """Give the session cookie a name of its own, unless the configuration does."""
    if app.config["SESSION_COOKIE_NAME"] == Flask.default_config["SESSION_COOKIE_NAME"]:
        app.config["SESSION_COOKIE_NAME"] = settings.session_cookie_name
    if settings.session_cookie_path is not None:
        app.config["SESSION_COOKIE_PATH"] = settings.session_cookie_path


def _configure(app: Flask, config: Any) -> None:
    app.config.from_object(_config_class(config) if isinstance(config, str) else config)
    app.config.setdefault("CHUNKED_UPLOAD_EXPIRATION_DELTA", UNFINISHED_LIFE)
    app.config.setdefault("CHUNKED_UPLOAD_OPENAPI", True)
    app.config.setdefault("CHUNKED_UPLOAD_ADMIN_LOADER", AdminTokens())
    app.config.update(from_environment(os.environ))
    for key in ("SECRET_KEY", "SQLALCHEMY_DATABASE_URI"):
        if os.environ.get(key):
            app.config[key] = os.environ[key]
    uri = app.config.get("CHUNKED_UPLOAD_DATABASE_URI")
    if uri:
        app.config["SQLALCHEMY_DATABASE_URI"] = uri
    database.choose(app)
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = _secret_key(app)


def _config_class(name: str) -> Any:
    if name in CONFIGS:
        return CONFIGS[name]
    try:
        return import_string(name)
    except ImportError as error:
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_CONFIG={name!r} is neither one of {', '.join(CONFIGS)} nor the dotted"
            " name of a class that can be imported"
        ) from error


def _secret_key(app: Flask) -> str:
    if not app.config.get("MAKE_SECRET_KEY"):
        raise ConfigurationError(
            "SECRET_KEY is not set, and in production it must be: put a long random string into"
            " the environment variable SECRET_KEY, the same for every worker and restart, such as"
            ' `python -c "import secrets; print(secrets.token_hex(32))"` prints'
        )
    # Locked, since several processes may start at the same time and must agree.
    with locked(Path(app.instance_path) / "secret_key", seconds=_LOCK_SECONDS) as file:
        key = file.read().strip()
        if not key:
            key = secrets.token_hex(32)
            file.write(key)
            file.flush()
    return key


def _add_pages(app: Flask, uploads: ChunkedUpload) -> None:
    send_static = app.view_functions["chunked_upload.static"]
    app.add_url_rule("/static/<path:filename>", "static", send_static)

    describe_server(app)

    @app.get("/")
    def index() -> Response:
        return uploads.page()

    @app.get("/healthz")
    def healthz() -> tuple[dict[str, Any], int]:
        said, status = health(uploads)
        told = seen(app, request, uploads.upload_set.settings.proxy_hops)
        return said if told is None else {**said, "seen": told}, status


def health(uploads: ChunkedUpload) -> tuple[dict[str, str], int]:
    """Ask database and storage; returns what each said, and 200 or 503."""
    said = {"database": "ok", "storage": "ok"}
    try:
        uploads.engine.records.ping()
        if not has_room(uploads.db.engine):
            said["database"] = "failed: no space left"
    except (SQLAlchemyError, OSError) as error:
        said["database"] = f"failed: {type(error).__name__}"
    try:
        for upload_set in uploads.sets.values():
            upload_set.engine.check_storage()
    except OSError as error:
        said["storage"] = f"failed: {error.strerror}"
    well = set(said.values()) == {"ok"}
    return {"status": "ok" if well else "unavailable"} | said, 200 if well else 503
