"""``GET /openapi``: the description as a page, for people.

The server writes it, without scripts. Pages that npm has for this were tried in Chromium: RapiDoc,
openapi-explorer and Redoc break a policy without inline styles, and Swagger UI breaks axe-core's
rules about contrast, names and landmarks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import render_template_string
from markupsafe import Markup, escape

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)

_TEMPLATE = Path(__file__).with_name("page.html")

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")


@dataclass(frozen=True)
class Shown:
    """A request as the page shows it."""

    verb: str
    path: str
    operation: dict[str, Any]

    @property
    def bodies(self) -> Iterator[tuple[str, list[str], str]]:
        """Yield each media type of its body, the names of the fields, and an example."""
        content = self.operation.get("requestBody", {}).get("content", {})
        for media_type, media in content.items():
            yield media_type, list(media["schema"].get("properties", {})), _example(media)

    @property
    def answers(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """Yield each status, what it means, an example and the headers."""
        for status, answer in self.operation["responses"].items():
            medias = answer.get("content", {}).values()
            example = next((text for text in map(_example, medias) if text), "")
            yield status, answer["description"], example, list(answer.get("headers", {}))


def render(document: dict[str, Any], *, style: str, icon: str, server: str) -> str:
    """Return the page.

    :param style, icon: the addresses of its files.
    :param server: the address of the service.
    """
    by_topic: dict[str, list[Shown]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            if not operation["operationId"].endswith("_head"):  # as GET, and more is not to tell
                by_topic[operation["tags"][0]].append(Shown(verb.upper(), path, operation))
    return render_template_string(
        _TEMPLATE.read_text("utf-8"),
        document=document,
        topics={topic: shown for topic, shown in by_topic.items() if shown},
        schemas=document["components"]["schemas"],
        style=style,
        icon=icon,
        server=server,
        marked=_marked,
        kind=_kind,
        anchor=_anchor,
    )


def _marked(text: str) -> Markup:
    """Return a text of the description, whose Markdown is paragraphs, code and strong words."""
    written = _STRONG.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", str(escape(text))))
    paragraphs = [part for part in written.split("\n\n") if part]
    return Markup("".join(f"<p>{part}</p>" for part in paragraphs))  # noqa: S704 - escaped above


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[several]))
    kind = schema.get("type", "anything")
    named = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if named == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    given = schema.get("enum")
    return f"{named}: {', '.join(map(str, given))}" if given else named


def _anchor(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-").lower()


def _example(media: dict[str, Any]) -> str:
    """Return the first example of a body, as people read JSON."""
    examples = list(media.get("examples", {}).values())
    return json.dumps(examples[0]["value"], indent=2, ensure_ascii=False) if examples else ""
