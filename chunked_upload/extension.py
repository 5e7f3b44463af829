"""The Flask extension: puts the service into an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from flask import Blueprint, Flask, Response, current_app
from flask_sqlalchemy import SQLAlchemy

from .engine.engine import UploadEngine
from .errors import ConfigurationError
from .hooks import Hooks, Registering
from .http import claims
from .http.access import csrf
from .http.dialect import Dialect, Dialects, chosen
from .http.dialects.django.chunks import ChunkedUploadView
from .http.dialects.django.completion import ChunkedUploadCompleteView
from .http.making_tickets import MakesTickets
from .http.ported_keys import refuse_flask_uploads, refuse_without_effect
from .http.set_schemas import Schemas
from .http.shortcut import add_shortcut
from .http.upload_set import BoundUploadSet
from .http.views import resources
from .http.views.files import add_named_files
from .http.views.routing import add_routes, check_urls
from .maintenance.commands import command_group
from .pages import upload_page, web_views
from .pages.template_helpers import TemplateHelpers
from .pages.zone_options import ZoneOptions
from .records import timeouts
from .records.model import default_model
from .records.repository import Record
from .sharing import links
from .sharing import routes as sharing
from .storage.powers import LocalPaths
from .storage.stores import Stores

_STATE = "chunked_upload"

#: Called with an app and its first :class:`ChunkedUpload`, by the rooms above.
after_init: list[Callable[[Flask, ChunkedUpload], None]] = []

#: Records keep the name of their upload set in a column of this length.
_MAX_NAME = 64


class ChunkedUpload(Registering, MakesTickets):
    """Resumable chunked uploads for a Flask app.

    Several objects may serve one app, each with its own ``name`` and URL prefix; one object may
    serve several apps (``init_app``). All state lives in the apps.

    :param app: the app; or call :meth:`init_app` later.
    :param db: the app's Flask-SQLAlchemy object. By default the one the app already has, else one
        of the extension's own (an SQLite file in the instance folder, unless
        ``SQLALCHEMY_DATABASE_URI`` says otherwise).
    :param model: a model with :class:`~chunked_upload.ChunkedUploadMixin`; by default the views'
        ``model``, else the built-in.
    :param name: the upload set's name: prefix of its endpoints (``url_for("<name>.upload")``).
    :param upload_view: a subclass of :class:`~chunked_upload.ChunkedUploadView`.
    :param complete_view: a subclass of :class:`~chunked_upload.ChunkedUploadCompleteView`.
    :param dialects: the dialects it speaks: names, classes or objects. By default every one that is
        registered. django-chunked-upload's is always among them.
    :param schemas: the app's own schemas of requests and answers (:mod:`chunked_upload.schemas`).
    :param settings: settings of this upload set alone, by their short names (``max_bytes=10 *
        2**30``).
    """

    #: Whether Flask-Uploads' keys with this upload set's name have an effect.
    reads_uploaded_keys: ClassVar[bool] = False

    def __init__(
        self,
        app: Flask | None = None,
        *,
        db: SQLAlchemy | None = None,
        model: Any = None,
        name: str = "chunked_upload",
        upload_view: type[ChunkedUploadView] = ChunkedUploadView,
        complete_view: type[ChunkedUploadCompleteView] = ChunkedUploadCompleteView,
        dialects: Iterable[str | type[Dialect] | Dialect] | None = None,
        schemas: Schemas | None = None,
        **settings: Any,
    ) -> None:
        self.name = name
        self._db = db
        self._model = model or upload_view.model or complete_view.model
        self._upload_view = upload_view
        self._complete_view = complete_view
        self._dialects = chosen(dialects)
        self._schemas = schemas
        self._overrides = settings
        self._hooks = Hooks()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the service to an app.

        :raises ConfigurationError: for a setting that cannot work, or a name taken twice.
        """
        upload_sets: dict[str, BoundUploadSet] = app.extensions.setdefault(_STATE, {})
        if self.name in upload_sets:
            raise ConfigurationError(
                f"this app already has an upload set named {self.name!r};"
                " give the second one another name="
            )
        db, own_db = self._database(app)
        upload_set = BoundUploadSet(
            app,
            name=self.name,
            db=db,
            own_db=own_db,
            model=self._model or default_model(db),
            hooks=self._hooks,
            upload_view=self._upload_view,
            complete_view=self._complete_view,
            overrides=self._settings_for(app),
            dialects=Dialects(self._dialects),
            schemas=self._schemas,
            blueprint=self._blueprint_name,
        )
        _check(upload_set, upload_sets)
        if not self.reads_uploaded_keys:
            refuse_flask_uploads(app)
        if not upload_set.settings.abstract_model:
            default_model(db)
        upload_set.prepare_database()
        upload_set.watch_deletions()
        blueprint = self._blueprint(upload_set)
        app.register_blueprint(blueprint)
        check_urls(app, [*upload_sets.values(), upload_set])
        csrf.take_over(app, blueprint)
        app.after_request(upload_set.share)
        upload_sets[self.name] = upload_set
        upload_set.extension = self
        if len(upload_sets) == 1:
            app.cli.add_command(command_group())
            add_named_files(app)
            add_shortcut(app)
            helpers = TemplateHelpers(app, upload_sets)
            app.context_processor(lambda: {_STATE: helpers})
        if self._is_first(upload_sets):
            for function in after_init:
                function(app, self)

    @property
    def sets(self) -> dict[str, ChunkedUpload]:
        """Every upload set of the current app by its name, those of ``CHUNKED_UPLOAD_SETS`` too."""
        upload_sets: dict[str, BoundUploadSet] = current_app.extensions.get(_STATE, {})
        return {name: bound.extension for name, bound in upload_sets.items()}

    @property
    def upload_set(self) -> BoundUploadSet:
        """The upload set in the current app."""
        upload_sets: dict[str, BoundUploadSet] = current_app.extensions.get(_STATE, {})
        if self.name not in upload_sets:
            raise RuntimeError(
                f"the current app has no upload set named {self.name!r}; call init_app(app) first"
            )
        return upload_sets[self.name]

    @property
    def engine(self) -> UploadEngine:
        """The engine in the current app, for uploads that do not come over HTTP."""
        return self.upload_set.engine

    @property
    def db(self) -> SQLAlchemy:
        """The Flask-SQLAlchemy object in the current app."""
        return self.upload_set.db

    @property
    def model(self) -> Any:
        """The model in the current app."""
        return self.upload_set.model

    def find(self, upload_id: str) -> Record:
        """Return the current caller's own upload, such as one whose id a form has sent.

        :raises UploadNotFound: when there is none, it is another's, or the id is not an id.
        """
        return self.upload_set.for_app(self._upload_view(self.upload_set).find(upload_id))

    def claim(self, *upload_ids: str) -> list[Record]:
        """Return the current caller's completed uploads of these ids, claimed for the app.

        An upload can be claimed once; of an id that is given twice, one counts. Its client can no
        longer remove it, and it does not expire. A request that ends in an unhandled error gives
        its claims up.

        :raises UploadNotFound: when one does not exist, or is another's.
        :raises UploadClaimed: when one is claimed already, or not complete. None of them is claimed
            then.
        """
        view = self._upload_view(self.upload_set)
        records = [view.find(upload_id) for upload_id in dict.fromkeys(upload_ids)]
        claims.claim(self.upload_set, records)
        return [self.upload_set.for_app(record) for record in records]

    def page(
        self,
        *,
        title: str | None = None,
        language: str | None = None,
        messages: str | None = None,
        sign_in: str | None = None,
        logo: str | None = None,
        accent: str | None = None,
    ) -> Response:
        """Return the ready-made page, for a view to return; see docs/page.md.

        It comes with a strict Content-Security-Policy, and knows this request's limits.

        :param title: heading of the page and name of its browser tab; None for the setting
            ``page_title``, or "Upload files" in the visitor's language.
        :param language: BCP 47 tag of the page's texts; None for what the browser asks for.
        :param messages: address of a module with texts of your own, in place of the page's.
        :param sign_in: address where people sign in, offered when they have been signed out.
        :param logo, accent: a picture's URL and a colour, as the settings ``page_logo`` and
            ``page_accent``.
        :raises ConfigurationError: for a logo or a colour that is none.
        """
        return upload_page.document(
            self.upload_set,
            title=title,
            language=language,
            messages=messages,
            sign_in=sign_in,
            logo=logo,
            accent=accent,
        )

    def path_of(self, upload: Record) -> str:
        """Return the absolute path of a completed upload's file."""
        if upload.path is None:
            raise ValueError(f"{upload!r} is not complete, it has no file yet")
        storage = self.engine.storage_of(upload)
        if not isinstance(storage, LocalPaths):
            raise TypeError(f"{type(storage).__name__} keeps no files on this host; use open()")
        return storage.path(upload.path)

    def shared(self, app: Flask) -> dict[str, Any]:
        """Return the keywords that make an upload set with this one's database, model and views."""
        bound: BoundUploadSet = app.extensions[_STATE][self.name]
        return {
            "db": bound.db,
            "model": bound.model,
            "upload_view": self._upload_view,
            "complete_view": self._complete_view,
            "schemas": self._schemas,
        }

    def inherit(self, other: ChunkedUpload) -> None:
        """Know callers as another upload set does, until this one has hooks for it."""
        self._hooks.inherits = other._hooks

    def _is_first(self, upload_sets: dict[str, BoundUploadSet]) -> bool:
        plain = [one for one in upload_sets.values() if not one.extension.reads_uploaded_keys]
        return [one.name for one in plain] == [self.name]

    @property
    def _blueprint_name(self) -> str:
        """The first part of its endpoints' names."""
        return self.name

    def _settings_for(self, app: Flask) -> dict[str, Any]:
        """Return the settings of this upload set alone, in an app."""
        return self._overrides

    def url(self, upload: Record | str) -> str:
        """Return the URL of a finished file: at ``public_url``, or else in this app.

        :param upload: its record, or the file's name in the upload set's place.
        """
        key = upload if isinstance(upload, str) else upload.path
        if key is None:
            raise ValueError(f"{upload!r} is not complete, it has no file yet")
        return self.upload_set.file_url(key)

    def _database(self, app: Flask) -> tuple[SQLAlchemy, bool]:
        """Return the db to use, and whether the extension set it up itself."""
        model_db: SQLAlchemy | None = getattr(self._model, "__fsa__", None)
        db = self._db or model_db or app.extensions.get("sqlalchemy")
        if db is not None:
            return db, bool(app.extensions.get("chunked_upload_own_db") is db)
        uri = app.config.setdefault("SQLALCHEMY_DATABASE_URI", "sqlite:///chunked_upload.db")
        db = SQLAlchemy(app, engine_options=timeouts.engine_options(uri))
        app.extensions["chunked_upload_own_db"] = db
        return db, True

    def _blueprint(self, upload_set: BoundUploadSet) -> Blueprint:
        blueprint = Blueprint(
            self._blueprint_name, __name__, url_prefix=upload_set.settings.url_prefix
        )
        add_routes(blueprint, upload_set, [*resources.ROUTES, *sharing.ROUTES, *web_views.ROUTES])
        return blueprint


def _move_to_one_place(one: Stores, other: Stores) -> bool:
    moving = one.old is not None and other.old is not None
    return moving and one.current.identity == other.current.identity


def _check(upload_set: BoundUploadSet, others: dict[str, BoundUploadSet]) -> None:
    """Check when the app starts, not at its first request, that the upload set can work."""
    if upload_set.settings.share:
        links.check_key(upload_set.app)
    if len(upload_set.name) > _MAX_NAME:
        raise ConfigurationError(f"name={upload_set.name!r} is longer than {_MAX_NAME} characters")
    for other in others.values():
        if other.settings.url_prefix == upload_set.settings.url_prefix:
            raise ConfigurationError(
                f"upload sets {other.name!r} and {upload_set.name!r} have the same URL prefix"
                f" {upload_set.settings.url_prefix!r}; give one of them another url_prefix="
            )
        if _move_to_one_place(upload_set.engine.stores, other.engine.stores):
            raise ConfigurationError(
                f"the files of upload sets {other.name!r} and {upload_set.name!r} are moved to one"
                " place, where files of equal names would meet; give each its own, as"
                f" storage='s3://bucket/{upload_set.name}'"
            )
        if upload_set.shares_names_with(other):
            raise ConfigurationError(
                f"upload sets {other.name!r} and {upload_set.name!r} have the same place,"
                f" {upload_set.place}; give one of them another, by"
                f" UPLOADED_{upload_set.name.upper()}_DEST or root="
            )
        for one, another in ((upload_set, other), (other, upload_set)):
            if one.is_among_parts_of(another):
                raise ConfigurationError(
                    f"the place of upload set {one.name!r}, {one.place}, is where {another.name!r}"
                    " keeps unfinished uploads; give it another"
                )
    refuse_without_effect(upload_set.app, checks_csrf=upload_set.checks_csrf)
    ported = {} if "dropzone" in upload_set.app.extensions else upload_set.app.config
    ZoneOptions.load({}, upload_set.settings.dropzone, ported)
