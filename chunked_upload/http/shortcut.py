"""Answers chunks below Flask's dispatch, in apps where nothing could tell the difference.

Flask's routing, contexts and session take a fifth of the processor time of a small chunk. The views
of this package do not need them for a chunk of an upload that exists; where they do, they get them
late (late_context.py). So for such requests this layer makes the request, finds the view, and calls
it; everything else, and every request of an app that has something to say about it, goes to Flask:

- an app with functions before, after or at the end of requests, a request class of its own, a user
  loader, CSRF tokens, or other origins that may read answers;
- an upload set with views, models, dialects, schemas, checks or functions of the app;
- a request while the app listens to signals about it, or with a session that every answer renews.

The app's first request always goes to Flask, after which an app cannot be set up further.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import flask
from flask import Flask, Request
from flask import signals as of_flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from chunked_upload import hooks
from chunked_upload.records.model import default_model

from .late_context import LateContext
from .set_schemas import Schemas
from .upload_set import BoundUploadSet
from .views.routing import Url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Attribute of a session interface that renews no cookie of its own accord.
KEEPS_COOKIES = "chunked_upload_keeps_cookies"

#: What is named in an upload's URL.
_ID = re.compile(r"[0-9a-f]{32}")
_ID_PART = "/<upload_id>"

#: The verbs that bring bytes.
_VERBS = frozenset({"PATCH", "POST", "PUT"})

#: Signals whose receivers may ask for the request that they are sent in. That of refused requests
#: is sent in Flask's context all the same, since a refusal needs it.
_SIGNALS = (
    of_flask.appcontext_popped,
    of_flask.appcontext_pushed,
    of_flask.appcontext_tearing_down,
    of_flask.request_finished,
    of_flask.request_started,
    of_flask.request_tearing_down,
    hooks.chunk_received,
    hooks.request_answered,
)

#: Whose functions need no context.
_OWN = ("chunked_upload.", "flask_sqlalchemy.")

#: Set by Flask's test client, which then shows the request's context to its test.
_KEEPS_CONTEXT = "werkzeug.debug.preserve_context"


class Shortcut:
    """The layer, as a WSGI app around another.

    :param app: the app.
    :param wsgi_app: its way through Flask's dispatch.
    """

    def __init__(self, app: Flask, wsgi_app: WSGIApplication) -> None:
        self._app = app
        self._wsgi_app = wsgi_app
        self._is_first = True
        #: What is served without Flask's dispatch; None before the second request.
        self._places: dict[str, tuple[BoundUploadSet, Url, Rule]] | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in _VERBS and not self._is_first:
            found = self._find(environ.get("PATH_INFO", ""))
            if found is not None and not self._is_watched(environ):
                answer = self._answer(*found, environ, start_response)
                if answer is not None:
                    return answer
        try:
            return self._wsgi_app(environ, start_response)
        finally:
            self._is_first = False

    def _find(self, path: str) -> tuple[BoundUploadSet, Url, Rule, dict[str, Any]] | None:
        """Return what is served at a path, and the arguments in it."""
        if self._places is None:
            self._places = dict(_places(self._app))
        head, _, last = path.rpartition("/")
        place, arguments = f"{head}/", {}
        if _ID.fullmatch(last):
            place, arguments = head + _ID_PART, {"upload_id": last}
        elif last:
            return None
        found = self._places.get(place)
        return None if found is None else (*found, arguments)

    def _is_watched(self, environ: WSGIEnvironment) -> bool:
        """Return whether the app follows this request."""
        app = self._app
        for signal in _SIGNALS:
            if signal.receivers and not all(map(_is_own, signal.receivers_for(app))):
                return True
        if environ.get(_KEEPS_CONTEXT):
            return True
        return app.config["SESSION_COOKIE_NAME"] in environ.get("HTTP_COOKIE", "") and not getattr(
            app.session_interface, KEEPS_COOKIES, False
        )

    def _answer(
        self,
        upload_set: BoundUploadSet,
        url: Url,
        rule: Rule,
        arguments: dict[str, Any],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes] | None:
        request = Request(environ)
        request.json_module = self._app.json
        request.url_rule, request.view_args = rule, arguments
        offered = url.find(request)
        if offered is None:
            return None
        dialect, function = offered
        view = function.view_class(upload_set, dialect)  # type: ignore[attr-defined]
        view.use_request(request)
        with LateContext(self._app, request) as late:
            try:
                response = late.processed(view.dispatch_request(**arguments))
            except Exception as error:
                response = late.failed(error)
            return response(environ, start_response)


def add_shortcut(app: Flask) -> None:
    """Put the layer around an app's own WSGI app, unless there is one around it already.

    Such a layer (ProxyFix, say) may change what a request says, so it must come first.
    """
    if getattr(app.wsgi_app, "__func__", None) is Flask.wsgi_app:
        app.wsgi_app = Shortcut(app, app.wsgi_app)  # type: ignore[method-assign]


def _places(app: Flask) -> Iterator[tuple[str, tuple[BoundUploadSet, Url, Rule]]]:
    """Yield each URL that needs no dispatch, its id replaced by its name, with what is there."""
    upload_sets: dict[str, BoundUploadSet] = app.extensions["chunked_upload"]
    if not _is_plain_app(app):
        return
    for upload_set in upload_sets.values():
        if not _is_plain_set(upload_set):
            continue
        for rule, url in upload_set.urls.items():
            if rule.endswith(("/", _ID_PART)):
                path = upload_set.settings.url_prefix + rule
                endpoint = f"{upload_set.blueprint}.{url.endpoint}"
                matched = _match(app, path.replace(_ID_PART, "/" + 32 * "0"))
                if matched is not None and matched.endpoint == endpoint:
                    yield path, (upload_set, url, matched)


def _match(app: Flask, path: str) -> Rule | None:
    """Return the rule by which Flask would route a path, whatever the verb of :data:`_VERBS`."""
    adapter = app.url_map.bind("localhost")
    try:
        rules = [adapter.match(path, method=verb, return_rule=True)[0] for verb in _VERBS]
    except HTTPException:
        return None
    return rules[0] if all(rule is rules[0] for rule in rules) else None


def _is_plain_app(app: Flask) -> bool:
    config = app.config
    around = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
        app.url_value_preprocessors,
    )
    functions: list[Any] = [*app.teardown_appcontext_funcs]
    for of_scope in around:
        functions += [function for some in of_scope.values() for function in some]
    return (
        type(app) is Flask
        and app.request_class is flask.Request
        and all(map(_is_own, functions))
        and not hasattr(app, "login_manager")
        and not app.url_map.host_matching
        and not app.subdomain_matching
        and config["MAX_CONTENT_LENGTH"] is config.get("TRUSTED_HOSTS") is None
    )


def _is_plain_set(upload_set: BoundUploadSet) -> bool:
    settings, hooks_of_set = upload_set.settings, upload_set.hooks
    functions = (
        settings.encoder,
        settings.limits_of,
        hooks_of_set.loads_user,
        *hooks_of_set.checks_callers,
        *hooks_of_set.validators,
    )
    return (
        not any(functions)
        and not callable(settings.max_bytes)
        and not settings.cors_origins
        and settings.set_field is None
        and not upload_set.checks_csrf
        and upload_set.model is default_model(upload_set.db)
        and upload_set.schemas.kinds == Schemas()
        and all(_is_own(kind) for kind in (upload_set.upload_view, upload_set.complete_view))
        and all(_is_own(type(dialect)) for dialect in upload_set.dialects)
    )


def _is_own(function: Callable[..., Any]) -> bool:
    return str(getattr(function, "__module__", "")).startswith(_OWN)
