"""Puts the description together: every URL of an app's upload sets, and what the app adds.

Several dialects may have requests of one verb at one URL, where OpenAPI has one operation. So those
are joined (joining.py): the default dialect's is the operation, and the others' parameters, bodies
and answers are added to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any

from flask import Flask

from chunked_upload.http.dialect import Dialect
from chunked_upload.http.operation import Describes, described
from chunked_upload.http.upload_set import BoundUploadSet

from .components import Components
from .joining import join
from .rendering import Rendering

_TITLE = "Uploads"
_TEXT = (
    "Resumable uploads in chunks. A client sends a file in chunks, asks where it stands after an"
    " interruption, and completes it with a checksum. Several dialects speak to the same uploads:"
    " an upload that starts in one can be shown, continued and completed in another. Offsets and"
    " sizes are in bytes, times are UTC."
)

#: A part of a rule: its converter, and its name.
_PART = re.compile(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>")

Operations = Iterable[tuple[Dialect, Describes]]


def make_document(app: Flask) -> dict[str, Any]:
    """Return the description of an app as OpenAPI 3.1, without ``servers``."""
    upload_sets: dict[str, BoundUploadSet] = app.extensions["chunked_upload"]
    components = Components(_TITLE, version("chunked-upload"), _TEXT)
    first = next(iter(upload_sets.values()))
    with app.test_request_context():
        for upload_set in upload_sets.values():
            for rule, operations in _urls(upload_set):
                _add(components, upload_set, rule, operations, first=upload_set is first)
        for rule, describes in described(app).items():
            default = first.dialects.default
            _add(components, first, rule, [(default, describes)], first=True, alone=True)
    document: dict[str, Any] = components.document(list(upload_sets.values()))
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def _urls(upload_set: BoundUploadSet) -> Iterator[tuple[str, Operations]]:
    """Yield what is described at each URL of an upload set, the default dialect's first."""
    default = upload_set.dialects.default
    prefix = upload_set.settings.url_prefix
    for rule, url in upload_set.urls.items():
        found = [(dialect or default, describes) for dialect, describes in url.operations]
        yield prefix + rule, reversed(found)


def _add(
    components: Components,
    upload_set: BoundUploadSet,
    rule: str,
    operations: Operations,
    *,
    first: bool,
    alone: bool = False,
) -> None:
    """Add one URL.

    :param first: of the app's upload sets, whose operations have no prefix in their names.
    :param alone: the URL is not an upload set's.
    """
    by_verb: dict[str, list[dict[str, Any]]] = {}
    for dialect, describes in operations:
        rendering = Rendering(upload_set, dialect, alone=alone)
        for operation in describes(upload_set):
            rendered = rendering.operation(operation, _PART.findall(rule))
            by_verb.setdefault(operation.verb.lower(), []).append(rendered)
    joined = {verb: join(several) for verb, several in by_verb.items()}
    if "get" in joined and "head" not in joined:
        joined["head"] = _head_of(joined["get"])
    for made in joined.values():
        if not first:
            made["operationId"] = f"{upload_set.name}_{made['operationId']}"
            made["tags"] = [f"{tag} ({upload_set.name})" for tag in made["tags"]]
    components.add(_PART.sub(r"{\1}", rule), joined)


def _head_of(get: dict[str, Any]) -> dict[str, Any]:
    """Return what HEAD is, where GET is: the same, without bodies."""
    responses = {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in get["responses"].items()
    }
    made = {**get, "operationId": f"{get['operationId']}_head", "responses": responses}
    made["summary"] = f"{get['summary']}: the headers alone"
    return made
