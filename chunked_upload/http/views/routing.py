"""One view function for each URL, whichever dialects and verbs share it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Request, Response, request

from chunked_upload.errors import ChunkedUploadError, ConfigurationError

from ..dialect import Dialect, Route
from ..errors import BadRequest, MethodNotOffered
from ..operation import Describes
from ..upload_set import BoundUploadSet
from ..wire.linger import linger
from .answered import answered
from .base import VERBS

_View = Callable[..., Any]

#: A view, as a function, and its dialect if it is of one.
Offered = tuple[Dialect | None, _View]


@dataclass
class Url:
    """What is served at one rule."""

    endpoint: str
    #: By verb; what belongs to no dialect, and then to the default dialect, comes last.
    views: dict[str, list[Offered]] = field(default_factory=dict)
    #: The dialects whose views serve only what they recognise.
    strict: set[Dialect] = field(default_factory=set)
    #: What describes the requests of each dialect, in the order of the views.
    operations: list[tuple[Dialect | None, Describes]] = field(default_factory=list)

    def find(self, request: Request) -> Offered | None:
        """Return the view for a request; None when its verb is not offered."""
        offered = self.views.get(request.method, [])
        for one in offered:
            if one[0] is not None and one[0].recognises(request):
                return one
        if not offered or offered[-1][0] in self.strict:
            return None
        return offered[-1]

    def announcements(self, upload_set: BoundUploadSet, rule: str) -> dict[str, str]:
        """Return the headers with which dialects announce themselves at this URL."""
        here = {dialect for offered in self.views.values() for dialect, _ in offered}
        headers: dict[str, str] = {}
        for dialect in upload_set.dialects:
            if dialect in here:
                headers |= dialect.announcement(upload_set, rule)
        return headers

    @property
    def verbs(self) -> list[str]:
        """The verbs that are offered."""
        return [verb for verb in VERBS if verb in self.views or verb == "OPTIONS"]


def add_routes(blueprint: Blueprint, upload_set: BoundUploadSet, shared: Iterable[Route]) -> None:
    """Add the routes of an upload set and of its dialects to a blueprint.

    :param shared: routes that belong to no dialect.
    """
    urls: dict[str, Url] = {}
    for dialect in upload_set.dialects:
        for route in dialect.routes(upload_set):
            _add(urls, upload_set, dialect, route)
    for route in shared:
        _add(urls, upload_set, None, route)
    upload_set.urls = urls
    for rule, url in urls.items():
        blueprint.add_url_rule(
            rule,
            url.endpoint,
            _dispatcher(upload_set, rule),
            methods=VERBS,
            strict_slashes=False,
            # Or a URL with a doubled slash is redirected, and few clients send a body again.
            merge_slashes=False,
            provide_automatic_options=False,
        )


def check_urls(app: Flask, upload_sets: Iterable[BoundUploadSet]) -> None:
    """Check that no upload set begins where another endpoint is, or among another set's endpoints.

    :raises ConfigurationError: naming both.
    """
    sets = list(upload_sets)
    prefixes = {one.blueprint: one.settings.url_prefix for one in sets}
    for rule in app.url_map.iter_rules():
        owners_prefix = prefixes.get(rule.endpoint.rpartition(".")[0], rule.rule)
        for name, prefix in ((one.name, one.settings.url_prefix) for one in sets):
            among = rule.rule.startswith(f"{prefix}/") and len(owners_prefix) < len(prefix)
            if rule.rule == prefix or among:
                raise ConfigurationError(
                    f"the URL prefix {prefix!r} of upload set {name!r} is also that of the endpoint"
                    f" {rule.endpoint!r}; give the set another name or url_prefix="
                )


def _add(
    urls: dict[str, Url], upload_set: BoundUploadSet, dialect: Dialect | None, route: Route
) -> None:
    url = urls.setdefault(route.rule, Url(route.endpoint))
    if route.operations is not None:
        url.operations.append((dialect, route.operations))
    if route.strict and dialect is not None:
        url.strict.add(dialect)
    verbs = dict(route.verbs)
    if "GET" in verbs:
        verbs.setdefault("HEAD", verbs["GET"])
    for verb, view_class in verbs.items():
        options = {"upload_set": upload_set, "dialect": dialect}
        view = view_class.as_view(view_class.__name__, **options)
        url.views.setdefault(verb, []).append((dialect, view))


def _dispatcher(upload_set: BoundUploadSet, rule: str) -> _View:
    def dispatch(**kwargs: Any) -> Any:
        url = upload_set.urls[rule]
        if upload_set.settings.set_field is not None:
            try:
                url = upload_set.chosen(request.args).urls.get(rule, url)
            except BadRequest as error:
                return _refuse(upload_set, error)
        found = url.find(request)
        if found is not None:
            return found[1](**kwargs)
        if request.method == "OPTIONS":
            headers = {"Allow": ", ".join(url.verbs), **url.announcements(upload_set, rule)}
            return Response(status=204, headers=headers)
        return _refuse(upload_set, MethodNotOffered(url.verbs, **_advice(upload_set)))

    return dispatch


def _refuse(upload_set: BoundUploadSet, error: ChunkedUploadError) -> Response:
    dialect, begun = upload_set.dialects.default, time.perf_counter()
    response = linger(dialect.render(upload_set.settings, error), request)
    return answered(response, request, upload_set, dialect, begun=begun, error=error)


def _advice(upload_set: BoundUploadSet) -> dict[str, str]:
    """Say what to do to a client that puts a file without a name, or with that of an endpoint."""
    prefix = upload_set.settings.url_prefix
    place, _, name = request.path.rstrip("/").rpartition("/")
    if request.method != "PUT":
        return {}
    if request.path.rstrip("/").endswith(prefix):
        return {"reason": f"put a file at its name: {upload_set.url('uploads')}NAME"}
    if not place.endswith(prefix):
        return {}
    elsewhere = upload_set.url("uploads", filename=name)
    return {
        "reason": f"'{name}' is a name of this service; POST a file of this name to {elsewhere}"
    }
