"""Trailer fields: what a client says after a chunked body (RFC 9110 6.5, RFC 9112 7.1.2).

WSGI does not have them, and most servers drop them silently. The bundled server keeps them. They
are never merged into the headers (RFC 9110 6.5.1), so none can change what was checked before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

#: Where a server that keeps trailers puts a function that returns their names and values.
TRAILERS_KEY = "chunked_upload.trailers"

Fields = Iterable[tuple[str, str]]


class Trailers(Mapping[str, str]):
    """Trailer fields by name, in any case; repeated ones are joined as WSGI joins headers."""

    def __init__(self, fields: Fields) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            before = self._values.get(name.lower())
            self._values[name.lower()] = value if before is None else f"{before},{value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def keeps_trailers(environ: Mapping[str, Any]) -> bool:
    """Return whether the server of a request keeps the trailers of chunked bodies."""
    return TRAILERS_KEY in environ


def trailers(environ: Mapping[str, Any]) -> Trailers | None:
    """Return the trailers of the body, which has been read; None where the server drops them.

    A body that has none, or that has not been read to its end, has an empty mapping.
    """
    fields: Callable[[], Fields] | None = environ.get(TRAILERS_KEY)
    return None if fields is None else Trailers(fields())
