"""The URLs of the admin page: the page, and the JSON that it and scripts use.

``GET`` changes nothing. What changes something is a ``POST`` of JSON, which no other site's page
can send for an administrator (access.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, request

from chunked_upload.engine.failures import translate_failures
from chunked_upload.errors import ConfigurationError
from chunked_upload.extension import ChunkedUpload
from chunked_upload.http.access import csrf
from chunked_upload.http.errors import BadRequest, LimitExceeded
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.http.views.exceptions import refusal_of
from chunked_upload.http.wire.replies import error_reply, json_reply
from chunked_upload.records.journal import Journal, Kind, journal_model

from . import page, query, totals
from .access import Admins
from .acting import Acting
from .failures import Failures
from .operations import describe_admin
from .uploads import Uploads, told_entry

#: How far back failures are told, and how many.
_DAY, _FAILURES = timedelta(days=1), 200

_MAX_BODY = 64 * 1024

_NAME = "chunked_upload_admin"


def add_admin(app: Flask, uploads: ChunkedUpload) -> None:
    """Add the admin page to an app whose first upload set has an ``admin_loader``.

    :raises ConfigurationError: when the app has something else at its URL.
    """
    upload_sets: dict[str, BoundUploadSet] = app.extensions["chunked_upload"]
    first = upload_sets[uploads.name]
    if first.settings.admin_loader is None:
        return
    url = first.settings.admin_url
    if any(rule.rule.rstrip("/") == url for rule in app.url_map.iter_rules()):
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_ADMIN_LOADER adds the URL {url}, which this app has already; set"
            " CHUNKED_UPLOAD_ADMIN_URL to another"
        )
    model = journal_model(first.db)
    journal = Journal(model, lambda: first.db.engine)
    app.extensions[_NAME] = Failures(app, journal)
    blueprint = Blueprint(_NAME, __name__, url_prefix=url)
    _Routes(first, upload_sets, journal).add_to(blueprint)
    app.register_blueprint(blueprint)
    csrf.take_over(app, blueprint)
    describe_admin(app, url)


class _Routes:
    """The views.

    :param first: the upload set whose settings hold.
    :param upload_sets: all of the app's; more may come.
    """

    def __init__(
        self, first: BoundUploadSet, upload_sets: dict[str, BoundUploadSet], journal: Journal
    ) -> None:
        self._first = first
        self._upload_sets = upload_sets
        self._journal = journal
        self._admins = Admins(first)
        self._uploads = Uploads(upload_sets, journal)
        self._acting = Acting(self._uploads, journal)

    def add_to(self, blueprint: Blueprint) -> None:
        """Add the routes to a blueprint."""
        blueprint.add_url_rule("", "page", self._page, strict_slashes=False)
        for rule, name, view in (
            ("/uploads", "uploads", self._list),
            ("/uploads/<upload_id>", "upload", self._show),
            ("/totals", "totals", self._totals),
            ("/active", "active", self._active),
            ("/failures", "failures", self._failures),
        ):
            blueprint.add_url_rule(rule, name, self._guarded(view))
        for rule, name, change in (
            ("/actions", "actions", self._act),
            ("/uploads/<upload_id>/verify", "verify", self._verify),
        ):
            blueprint.add_url_rule(
                rule, name, self._guarded(change, changes=True), methods=["POST"]
            )

    def _page(self) -> Response:
        """Return the page itself, which says nothing about uploads until it has asked."""
        by_token, known = self._admins.by_token, True
        try:
            self._admins.who(request)
        except Exception as error:
            refusal = self._refuse(error)
            if refusal.status_code != 403:
                return refusal
            known = by_token  # who opens it signs in on it
        return page.document(self._first, by_token=by_token, known=known)

    def _guarded(
        self, view: Callable[..., Any], *, changes: bool = False
    ) -> Callable[..., Response]:
        """Return a view for administrators alone, which answers in JSON."""

        def answer(**arguments: str) -> Response:
            try:
                if changes:
                    self._admins.check_origin(request)
                who = self._admins.who(request)
                with translate_failures():
                    content = view(who, **arguments)
            except Exception as error:
                return self._refuse(error)
            response = json_reply(self._first.settings, content)
            response.headers["Cache-Control"] = "no-store"
            return response

        return answer

    def _refuse(self, error: Exception) -> Response:
        refusal = self._first.dialects.default.refusal(refusal_of(error))
        return error_reply(self._first.settings, refusal)

    def _list(self, who: str) -> Any:
        wanted = query.read(request.args, upload_sets=self._uploads.names)
        return self._uploads.page(wanted) | {"admin": who, "upload_sets": self._uploads.names}

    def _show(self, who: str, upload_id: str) -> Any:
        return self._uploads.life(upload_id)

    def _totals(self, who: str) -> Any:
        return totals.totals(self._upload_sets)

    def _active(self, who: str) -> Any:
        return {"uploads": self._uploads.active()}

    def _failures(self, who: str) -> Any:
        since = self._first.engine.now() - _DAY
        entries = self._journal.recent(Kind.FAILURE, since=since, most=_FAILURES)
        return {"failures": [told_entry(entry) for entry in entries]}

    def _act(self, who: str) -> Any:
        return self._acting.act(who, _json())

    def _verify(self, who: str, upload_id: str) -> Any:
        return self._acting.verify(who, upload_id, _json().get("state"))


def _json() -> dict[str, Any]:
    """Return the object in the request's body."""
    body = request.stream.read(_MAX_BODY + 1)
    if len(body) > _MAX_BODY:
        raise LimitExceeded(f"Request exceeds the limit ({_MAX_BODY} bytes)")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON") from error
    if not isinstance(given, dict):
        raise BadRequest("The JSON body must be an object")
    return given
