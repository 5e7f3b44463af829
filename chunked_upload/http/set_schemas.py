"""The schemas of one upload set: those that the app has replaced, and the package's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields

from chunked_upload.checksum.registry import names
from chunked_upload.errors import ConfigurationError

from .schemas import (
    ChunkReplySchema,
    ChunkSchema,
    CompleteSchema,
    ListSchema,
    Stripped,
    UploadSchema,
)


@dataclass(frozen=True, kw_only=True)
class Schemas:
    """The schemas of an upload set that an app may replace by its own.

    :param chunk: the form fields before a file.
    :param chunk_reply: the answer to a chunk.
    :param complete: the fields of a complete request.
    :param upload: an upload's state: the answer to a completion, the state for resuming, and the
        entries of the list.
    :param list_query: the query of the list.
    :raises ConfigurationError: for a class that does not derive from the one that it replaces.
    """

    chunk: type[ChunkSchema] = ChunkSchema
    chunk_reply: type[ChunkReplySchema] = ChunkReplySchema
    complete: type[CompleteSchema] = CompleteSchema
    upload: type[UploadSchema] = UploadSchema
    list_query: type[ListSchema] = ListSchema

    def __post_init__(self) -> None:
        for field in dataclass_fields(self):
            own, base = getattr(self, field.name), field.default
            if not (isinstance(own, type) and isinstance(base, type) and issubclass(own, base)):
                raise ConfigurationError(
                    f"Schemas({field.name}={own!r}): expected a class that derives from"
                    f" chunked_upload.schemas.{getattr(base, '__name__', base)}"
                )


class BoundSchemas:
    """The schemas of one upload set, made once: making one takes longer than a small chunk.

    :param upload_set: the upload set, for the addresses of files and the checksums that it keeps.
    """

    def __init__(self, schemas: Schemas, upload_set: Any) -> None:
        #: Their classes.
        self.kinds = schemas
        #: Reads the fields before a file.
        self.load_chunk = _loader(schemas.chunk())
        #: Writes the answer to a chunk.
        self.dump_chunk_reply = _dumper(schemas.chunk_reply())
        self.list_query = schemas.list_query()
        self.upload = schemas.upload(upload_set=upload_set)
        #: Without the client's fields, which may be many times as long as the rest.
        self.listed = schemas.upload(
            upload_set=upload_set, exclude={"metadata"} & self.upload.fields.keys()
        )
        self._complete = schemas.complete

    @property
    def complete(self) -> Schema:
        """The schema of a complete request, with a field for every checksum that is known."""
        return _with_checksums(self._complete, frozenset(names()))


@lru_cache(maxsize=64)
def _with_checksums(schema: type[CompleteSchema], checksums: frozenset[str]) -> Schema:
    own = schema().fields
    added: dict[str, fields.Field[Any]] = {
        name: Stripped(load_default="") for name in sorted(checksums - own.keys())
    }
    return schema.from_dict(added, name=schema.__name__)()


# Once per chunk, the package's own two schemas are applied directly: marshmallow would take a
# twentieth of the processor time of a 64 KiB chunk. A test compares the results.


def _loader(schema: ChunkSchema) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    if type(schema) is not ChunkSchema:
        return schema.load
    return lambda given: {"upload_id": given.get("upload_id", "").strip()}


def _dumper(schema: ChunkReplySchema) -> Callable[[Any], dict[str, Any]]:
    if type(schema) is not ChunkReplySchema:
        return schema.dump
    return lambda upload: {
        "upload_id": upload.upload_id,
        "offset": upload.offset,
        "expires": upload.expires_on,
    }
