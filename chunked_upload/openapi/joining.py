"""Joins the requests of several dialects that have one verb at one URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

_Object = dict[str, Any]


def join(operations: list[_Object]) -> _Object:
    """Return one operation for all of them; the first gives it its name."""
    first = operations[0]
    made = {**first, "description": _texts(operations)}
    made["tags"] = list(dict.fromkeys(tag for one in operations for tag in one["tags"]))
    made["parameters"] = _parameters(operations)
    made["responses"] = dict(sorted(_responses(operations).items()))
    if bodies := [one["requestBody"] for one in operations if "requestBody" in one]:
        made["requestBody"] = {
            "required": all(body["required"] for body in bodies) and len(bodies) == len(operations),
            "content": _contents([body["content"] for body in bodies]),
        }
    del made["x-dialect"]
    return made


def _texts(operations: list[_Object]) -> str:
    first, *others = operations
    texts = [first["description"]]
    texts += [f"**{one['x-dialect']}**: {one['summary']}. {one['description']}" for one in others]
    return "\n\n".join(text for text in texts if text)


def _parameters(operations: list[_Object]) -> list[_Object]:
    """Return the parameters of all; one is required if it is in each of them."""
    found: dict[tuple[Any, ...], _Object] = {}
    required: dict[tuple[Any, ...], int] = {}
    for one in operations:
        for parameter in one["parameters"]:
            key = (parameter["in"], parameter.get("name"))
            found.setdefault(key, parameter)
            required[key] = required.get(key, 0) + bool(parameter.get("required"))
    return [
        {**one, "required": True}
        if required[key] == len(operations)
        else {name: value for name, value in one.items() if name != "required"}
        for key, one in found.items()
    ]


def _responses(operations: list[_Object]) -> _Object:
    statuses = {status for one in operations for status in one["responses"]}
    return {
        status: _response(
            [one["responses"][status] for one in operations if status in one["responses"]]
        )
        for status in statuses
    }


def _response(several: list[_Object]) -> _Object:
    made: _Object = {"description": " ".join(dict.fromkeys(_descriptions(several)))}
    if contents := [one["content"] for one in several if "content" in one]:
        made["content"] = _contents(contents)
    headers: _Object = {}
    for one in several:
        for name, header in one.get("headers", {}).items():
            headers.setdefault(name, header)
    for name, header in headers.items():
        if not all(name in one.get("headers", {}) for one in several):
            headers[name] = {key: value for key, value in header.items() if key != "required"}
    return {**made, "headers": headers} if headers else made


def _descriptions(several: list[_Object]) -> Iterator[str]:
    for one in several:
        yield one["description"]


def _contents(several: Iterable[_Object]) -> _Object:
    joined: dict[str, list[_Object]] = {}
    for content in several:
        for media_type, media in content.items():
            joined.setdefault(media_type, []).append(media)
    return {media_type: _media(medias) for media_type, medias in joined.items()}


def _media(medias: list[_Object]) -> _Object:
    schemas: list[Any] = []
    for media in medias:
        if media["schema"] not in schemas:
            schemas.append(media["schema"])
    made: _Object = {"schema": _schema(schemas)}
    examples: _Object = {}
    for media in medias:
        for name, example in media.get("examples", {}).items():
            if example not in examples.values():
                examples[name if name not in examples else f"{name}_{len(examples)}"] = example
    return {**made, "examples": examples} if examples else made


def _schema(schemas: list[Any]) -> Any:
    """Return one schema for all; forms become one form with the fields of all."""
    if len(schemas) == 1:
        return schemas[0]
    if not all(isinstance(schema, dict) and "x-fields" in schema for schema in schemas):
        return {"anyOf": schemas}
    properties: _Object = {}
    for schema in reversed(schemas):
        properties |= schema["properties"]
    required = set(schemas[0]["required"]).intersection(*(one["required"] for one in schemas))
    return {
        **schemas[0],
        "x-fields": [kind for schema in schemas for kind in schema["x-fields"]],
        "properties": properties,
        "required": sorted(required),
    }
