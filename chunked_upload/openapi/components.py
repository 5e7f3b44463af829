"""The document as apispec collects it: paths, and the schemas that they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from marshmallow import Schema, fields

from chunked_upload.checksum.registry import names
from chunked_upload.http.schemas import Timestamp, UploadSchema, WholeNumber
from chunked_upload.http.upload_set import BoundUploadSet

_LARGEST = 2**63 - 1


class Components:
    """Collects the description.

    :param text: what the service is, in Markdown.
    """

    def __init__(self, title: str, version: str, text: str) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=self._name)
        self._spec = APISpec(
            title,
            version,
            "3.1.0",
            info={"description": text, "license": {"name": "MIT", "identifier": "MIT"}},
            plugins=[plugin],
        )
        self._plugin = plugin
        plugin.map_to_openapi_type(Timestamp, "string", "date-time")
        if plugin.converter is not None:
            plugin.converter.add_attribute_function(_range)
        self._tags: dict[str, None] = {}
        self._names: dict[str, type[Schema]] = {}

    def add(self, path: str, operations: dict[str, Any]) -> None:
        """Add a URL, with its operations by verb in lower case."""
        for operation in operations.values():
            self._tags.update(dict.fromkeys(operation["tags"]))
        self._spec.path(path=path, operations=self._copy(operations))

    def _copy(self, given: Any) -> Any:
        """Return a copy that apispec may change, with the same schemas and all fields of forms."""
        if isinstance(given, (list, tuple)):
            return [self._copy(one) for one in given]
        if not isinstance(given, Mapping):
            return given
        made = {name: self._copy(value) for name, value in given.items() if name != "x-fields"}
        for schema in given.get("x-fields", ()):
            made["properties"] = {**self._properties(schema), **made["properties"]}
        return made

    def _properties(self, schema: type[Schema]) -> dict[str, Any]:
        if self._plugin.converter is None:  # it is made by APISpec
            return {}
        made: dict[str, Any] = self._plugin.converter.schema2jsonschema(schema())
        return dict(made["properties"])

    def document(self, upload_sets: list[BoundUploadSet]) -> dict[str, Any]:
        """Return the whole."""
        self._secure(upload_sets)
        made = self._spec.to_dict()
        made["tags"] = [{"name": name} for name in self._tags]
        _add_checksums(made["components"]["schemas"], self._names)
        for schema in made["components"]["schemas"].values():
            schema.pop("additionalProperties", None)  # apps and their hooks add fields
        return made

    def _name(self, schema: Any) -> str:
        """Return the name of a schema's component: one for each class."""
        kind: Any = type(schema) if isinstance(schema, Schema) else resolve_schema_cls(schema)
        wanted: str = kind.__name__.removesuffix("Schema")
        found, number = wanted, 1
        while self._names.setdefault(found, kind) is not kind:
            number += 1
            found = f"{wanted}{number}"
        return found

    def _secure(self, upload_sets: list[BoundUploadSet]) -> None:
        """Tell how callers authenticate."""
        schemes = self._spec.components
        ways: list[dict[str, list[str]]] = []
        if any(one.takes_tokens for one in upload_sets):
            schemes.security_scheme("token", {"type": "http", "scheme": "bearer"})
            ways.append({"token": []})
        if not all(one.login_required for one in upload_sets):
            ways.append({})
        elif not ways or any(one.hooks.loads_user is not None for one in upload_sets):
            name = upload_sets[0].app.config["SESSION_COOKIE_NAME"]
            schemes.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": name})
            ways.append({"session": []})
        self._spec.options["security"] = ways


def _range(converter: Any, field: fields.Field[Any], ret: Any, **kwargs: Any) -> dict[str, Any]:
    return {"minimum": 0, "maximum": _LARGEST} if isinstance(field, WholeNumber) else {}


def _add_checksums(schemas: dict[str, Any], kinds: dict[str, type[Schema]]) -> None:
    """Add the checksums that an upload's state may have, which are no fields of its schema."""
    for name, kind in kinds.items():
        if issubclass(kind, UploadSchema):
            for checksum in sorted(names()):
                digest = {"type": ["string", "null"], "description": f"{checksum}, in hex digits"}
                schemas[name]["properties"].setdefault(checksum, digest)
