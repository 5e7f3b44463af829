"""One upload set in one app: its settings, engine, hooks and callers, put together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask, Request, Response, current_app, has_request_context, request, url_for
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.failures import translate_failures
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.hooks import SIGNALS, Hooks
from chunked_upload.records import durability
from chunked_upload.records.deletions import watch_deletions
from chunked_upload.records.relationships import in_session
from chunked_upload.records.repository import Record
from chunked_upload.records.tokens import TokenTable, has_token_model, token_model
from chunked_upload.storage.powers import LocalPaths
from chunked_upload.storage.registry import make_stores
from chunked_upload.support.log_context import note_owner

from .access import callers, cors, csrf
from .access.callers import Caller
from .access.request_rate import RequestRate
from .access.tickets import Tickets
from .access.tokens import StoredTokens, Tokens
from .dialect import Dialects
from .engines import Engines
from .errors import BadRequest
from .late_context import enter_context
from .set_schemas import BoundSchemas, Schemas
from .set_settings import load_settings
from .wire.body import BEFORE_WAITING

logger = logging.getLogger(__name__)

#: The endpoint of finished files by their names, Flask-Uploads' own.
NAMED_FILE = "_uploads.uploaded_file"

#: Bytes of a request beside those of its chunk: the form's other fields and its delimiters.
_MAX_ENVELOPE = 32 * 1024

#: Events after which an upload is gone.
_REMOVALS = ("aborted", "expired")


class BoundUploadSet:
    """A :class:`~chunked_upload.ChunkedUpload` bound to one app.

    :param name: the upload set's name: its records' ``upload_set``.
    :param blueprint: its blueprint's name, if that is not its own.
    :param own_db: the database was set up by the extension, not by the app.
    :param upload_view: the view class that takes chunks; its rules (queryset, permissions) hold for
        the other endpoints as well.
    :param overrides: settings of this upload set alone.
    :param dialects: the dialects it speaks; by default every one that is registered.
    :param schemas: of its requests and answers.
    """

    def __init__(
        self,
        app: Flask,
        *,
        name: str,
        db: SQLAlchemy,
        own_db: bool,
        model: Any,
        hooks: Hooks,
        upload_view: Any,
        complete_view: Any,
        overrides: dict[str, Any],
        dialects: Dialects | None = None,
        schemas: Schemas | None = None,
        blueprint: str | None = None,
    ) -> None:
        self.app = app
        self.name = name
        #: The name of its blueprint.
        self.blueprint = blueprint or name
        self.db = db
        self.model = model
        self.hooks = hooks
        self.upload_view = upload_view
        self.complete_view = complete_view
        self.dialects = dialects or Dialects()
        #: Read and checked here, once: a later change of ``app.config`` has no effect.
        self.settings = load_settings(app, overrides, self.dialects)
        self._stores = make_stores(self.settings, f"{app.instance_path}/uploads")
        #: Of its requests and answers.
        self.schemas = BoundSchemas(schemas or Schemas(), self)
        self._own_db = own_db
        #: Flask-SQLAlchemy's, which takes a while to look them up, and every statement needs one.
        self._engines: Mapping[str | None, Engine] | None = None
        #: What is served at each of its rules (views/routing.py).
        self.urls: dict[str, Any] = {}
        #: Takes each request's :data:`~.views.answered.Answered`, at a tenth of a signal's cost.
        self.note_answer: Callable[[Any], object] | None = None
        #: The :class:`~chunked_upload.ChunkedUpload` that it was made from.
        self.extension: Any = None
        self._upload_engines = Engines(
            self.settings, self._stores, name=name, db=db, connect=self._connect, emit=self.emit
        )

    @property
    def engine(self) -> UploadEngine:
        """The engine for the upload set's own model."""
        return self.engine_for(self.model)

    def engine_for(self, model: Any) -> UploadEngine:
        """Return the engine for a model (a view may name its own)."""
        return self._upload_engines.of(model)

    @cached_property
    def tickets(self) -> Tickets:
        """Writes and reads the tickets of the upload set."""
        return Tickets(self.app, self.name)

    @cached_property
    def request_rate(self) -> RequestRate | None:
        """Counts the requests of each owner on this host; None when they are not limited."""
        if not self.settings.may_limit_requests:
            return None
        return RequestRate(Path(self.app.instance_path) / "request-rate")

    def chosen(self, given: Mapping[str, str]) -> BoundUploadSet:
        """Return the upload set that a client chooses by a form field or a parameter of the query.

        :raises BadRequest: when the app has no such set; names those that it has.
        """
        field = self.settings.set_field
        wanted = self.name if field is None else given.get(field, self.name)
        if wanted == self.name:
            return self
        known: dict[str, BoundUploadSet] = self.app.extensions["chunked_upload"]
        if wanted not in known:
            names = ", ".join(sorted(known))
            raise BadRequest(f"There is no upload set {wanted[:80]!r}; choose one of: {names}")
        return known[wanted]

    def shares_names_with(self, other: BoundUploadSet) -> bool:
        """Return whether both keep files in one place, and one of them by the files' own names."""
        by_name = self.settings.number_names or other.settings.number_names
        return by_name and self.place is not None and self.place == other.place

    @property
    def place(self) -> str | None:
        """The directory of its files; None when the storage keeps no files on this host."""
        storage = self._stores.current
        return os.path.realpath(storage.path("")) if isinstance(storage, LocalPaths) else None

    def is_among_parts_of(self, other: BoundUploadSet) -> bool:
        """Return whether its place is where the other keeps unfinished bytes."""
        storage = other._stores.current
        parts = storage.part_directory if isinstance(storage, LocalPaths) else None
        return None not in (self.place, parts) and f"{self.place}/".startswith(f"{parts}/")

    def emit(self, event: str, record: Record) -> None:
        """Send the signal of an event."""
        if event in _REMOVALS:
            self._call_on_delete(record)
        signal = SIGNALS[event]
        if signal.receivers:
            signal.send(self.app, upload=self.for_app(record), upload_set=self.name)

    def watch_deletions(self) -> None:
        """Remove the bytes of uploads that the app deletes through its own session."""
        watch_deletions(self.model, _deleted_by_app, deleting=_deleting_in_app)

    def tell_of_deletion(self, connection: Connection, record: Record) -> None:
        """Write the event of a record that the app's own session is deleting."""
        self._upload_engines.tell_of_deletion(connection, record)

    def forget(self, record: Record) -> None:
        """Remove the bytes of an upload whose record the app has deleted."""
        engine = self.engine_for(type(record))
        try:
            engine.discard_files(record)
            if engine.records.shares is not None:
                with translate_failures():
                    engine.records.shares.remove_of(record.upload_id)
        except ChunkedUploadError:
            logger.exception("the files of deleted upload %r could not be removed", record)
        self._call_on_delete(record)

    def _call_on_delete(self, record: Record) -> None:
        for function in self.hooks.on_delete:
            try:
                function(record)
            except Exception:
                logger.exception("on_delete failed for upload %r", record)

    def for_app(self, record: Record) -> Record:
        """Return a record for the app's own code, which may follow its relationships."""
        return in_session(record, self.db.session)

    @property
    def login_required(self) -> bool:
        """Whether callers must be known."""
        return callers.required(self.app, self.hooks, tokens=self.takes_tokens)

    @property
    def takes_tokens(self) -> bool:
        """Whether callers may be known by an API token."""
        return bool(self.settings.tokens) or self.settings.require_tokens

    @cached_property
    def tokens(self) -> Tokens:
        """The API tokens, for all scopes."""
        bind_key = getattr(self.model, "__bind_key__", None)
        if not self.takes_tokens and not has_token_model(self.db, bind_key):
            return Tokens(None, None)
        model = token_model(self.db, bind_key)
        table = TokenTable(model, lambda: self._connect(model))
        return Tokens(self.settings.tokens, StoredTokens(table, lambda: self.engine.now()))

    @property
    def checks_csrf(self) -> bool:
        """Whether requests that change something need a CSRF token."""
        return csrf.enforced(self.app, self.settings.csrf)

    @property
    def max_chunk_bytes(self) -> int | None:
        """Most bytes that our scripts put into one chunk, so that its request is taken."""
        limits = [self.settings.max_chunk_bytes]
        whole: int | None = self.app.config["MAX_CONTENT_LENGTH"]
        if whole is not None:
            limits.append(max(whole - _MAX_ENVELOPE, whole // 2, 1))
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def browser_checksum(self) -> str:
        """The checksum that the client library sends: SHA-256 where it is kept and MD5 is not."""
        kept = self.settings.kept_checksums
        return "sha256" if "sha256" in kept and "md5" not in kept else "md5"

    def serves(self, request: Request) -> bool:
        """Return whether a request is for an endpoint of this upload set, however it is routed."""
        if request.blueprint == self.blueprint:
            return True
        if request.endpoint == NAMED_FILE:
            return bool((request.view_args or {}).get("setname") == self.name)
        view = self.app.view_functions.get(request.endpoint or "")
        return getattr(getattr(view, "view_class", None), "upload_set", None) == self.name

    def share(self, response: Response) -> Response:
        """Let pages of the ``cors_origins`` read an answer of this upload set."""
        origins = self.settings.cors_origins
        if not origins or not self.serves(request):
            return response
        return cors.share(response, request, origins, self.dialects)

    def caller(self, request: Request) -> Caller:
        """Return who sent the request, looked up once."""
        # Kept with the request, not in g: an app context may outlive a request (tests, commands).
        known: dict[str, Caller] = request.environ.setdefault("chunked_upload.callers", {})
        if self.name not in known:
            known[self.name] = callers.identify(
                self.app, request, self.hooks, self.tokens, self.tickets
            )
            note_owner(known[self.name].owner)
        return known[self.name]

    def guard_connections(self, request: Request) -> None:
        """Release database connections that hooks pin while this request is answered."""
        request.environ[BEFORE_WAITING] = self._release_connection

    def _release_connection(self) -> None:
        """Release the connection that hooks have pinned with ``db.session``.

        It is called in two places. First, before the records take a connection, which could
        otherwise wait for the one that the same request holds. Second, before a request waits for
        bytes, which may take hours. A transaction that a hook leaves open would be rolled back at
        the end of the request anyway. In the app's own views, the session is left alone.
        """
        registry: Any = self.db.session.registry
        # This check is cheaper than asking for the current session.
        if not registry.registry or not has_request_context() or not registry.has():
            return
        if BEFORE_WAITING in request.environ:
            self.db.session.rollback()

    def describe(self, record: Record, *, metadata: bool = True) -> dict[str, Any]:
        """Return an upload's state as the contract writes it.

        :param metadata: False leaves the client's fields out.
        """
        schema = self.schemas.upload if metadata else self.schemas.listed
        state: dict[str, Any] = schema.dump(record)
        return state

    def url(self, endpoint: str, **values: Any) -> str:
        """Build the path of one of the upload set's endpoints."""
        enter_context()
        return url_for(f"{self.blueprint}.{endpoint}", **values)

    def file_url(self, key: str) -> str:
        """Return the URL of a finished file, by its name in the storage.

        With ``public_url`` it is there; else it is the app's own, complete with its host.
        """
        if self.settings.public_url is not None:
            return f"{self.settings.public_url.rstrip('/')}/{quote(key)}"
        enter_context()
        return url_for(NAMED_FILE, setname=self.name, filename=key, _external=True)

    def prepare_database(self) -> None:
        """Set the database's connections up before the first of them is made, if it is there.

        The app's models are complete then, too: ``db.create_all()`` makes all tables.
        """
        self._upload_engines.make_models(self.model)
        if self.takes_tokens:
            token_model(self.db, getattr(self.model, "__bind_key__", None))
        if self.app.extensions.get("sqlalchemy") is self.db:
            with self.app.app_context():
                self._bind(self.model)

    def _connect(self, model: Any) -> Engine:
        """Return the engine for a statement of the records, with no connection pinned by hooks."""
        self._release_connection()
        return self._bind(model)

    def _bind(self, model: Any) -> Engine:
        if self._engines is None:
            self._engines = self.db.engines
        engine = self._engines[getattr(model, "__bind_key__", None)]
        return durability.prepare(engine, own=self._own_db, durable=self.settings.durable)


def _deleting_in_app(connection: Connection, record: Record) -> None:
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    if record.upload_set in upload_sets:
        upload_sets[record.upload_set].tell_of_deletion(connection, record)


def _deleted_by_app(record: Record) -> None:
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    if record.upload_set in upload_sets:
        upload_sets[record.upload_set].forget(record)
