"""Defines what a dialect of the wire is, and finds the dialect of a request.

A dialect is one module or package in ``http/dialects`` (or in another distribution) that derives
from :class:`Dialect` and registers itself with :func:`register`. It says how to recognise its
requests, which routes it adds, how each refusal reads in it, and which headers its clients need
from other origins. No dialect knows another.

Several dialects share the upload set's URLs. They are asked in the order of :class:`Recognition`:
the dialect with the surest sign comes first, and the default dialect takes every request that no
other recognises.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask import Request, Response

from chunked_upload.engine import errors
from chunked_upload.errors import ChunkedUploadError, ConfigurationError
from chunked_upload.settings.keys import Settings
from chunked_upload.support.plugins import entry_points

from .errors import BadRequest
from .operation import Describes
from .schemas import ErrorSchema
from .wire.incoming import Incoming
from .wire.replies import error_reply

#: Entry points under which other distributions offer dialects.
ENTRY_POINTS = "chunked_upload.dialects"


class Recognition(enum.IntEnum):
    """The sign that identifies a dialect on shared URLs, the surest first."""

    HEADERS = 1
    #: Form fields before the file, or query and headers of a raw body.
    FIELDS = 2
    #: Signs that its clients usually send; other clients might send them too.
    HABITS = 3
    #: No sign: it takes every request that no other dialect recognises.
    DEFAULT = 4


@dataclass(frozen=True)
class Refusal:
    """An error of the engine in a dialect's status and words.

    :param status: HTTP status code.
    :param detail: text; ``{error.limit}`` and the like are replaced.
    """

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


#: The contract's words (docs/protocol.md), for dialects that do not define their own.
REFUSALS: Mapping[type[errors.UploadError], Refusal] = {
    errors.UploadNotFound: Refusal(404, "Upload not found"),
    errors.UploadExpired: Refusal(410, "Upload has expired"),
    errors.AlreadyComplete: Refusal(400, 'Upload has already been marked as "complete"'),
    errors.UploadClaimed: Refusal(409, "Upload is in use"),
    errors.NotComplete: Refusal(400, "Upload is not complete"),
    errors.OffsetMismatch: Refusal(400, "Offsets do not match"),
    errors.JoinedOfPieces: Refusal(
        403, "Upload is joined of partial uploads; send the bytes to those"
    ),
    errors.BytesDiffer: Refusal(400, "Chunk differs from the bytes already stored"),
    errors.SizeMismatch: Refusal(400, "File size doesn't match headers"),
    errors.TotalMismatch: Refusal(400, "Total size does not match"),
    errors.FileTooLarge: Refusal(400, "Size of file exceeds the limit ({error.limit} bytes)"),
    errors.ChecksumMismatch: Refusal(400, "{error.algorithm} checksum does not match"),
    errors.LimitReached: Refusal(413, "{error.limit}"),
    errors.TooManyRequests: Refusal(429, "Too many requests (at most {error.limit} a second)"),
    errors.ServiceUnavailable: Refusal(503, "{error.problem}", {"Retry-After": "1"}),
    errors.StorageFull: Refusal(
        507, "Storage is full; nothing of this request was kept, retry later"
    ),
}


@dataclass(frozen=True)
class Route:
    """A URL below the upload set's prefix, and the views of a dialect on it.

    Several dialects may have views on one rule, also for the same verb.

    :param rule: as for Flask, ``/<upload_id>``.
    :param endpoint: its name, for ``url_for("<upload set>.<endpoint>")``.
    :param verbs: view class by HTTP verb; HEAD goes with GET unless it is named.
    :param strict: these views serve only requests that the dialect recognises, also where no other
        has a view; the rest is answered 405.
    :param operations: describes the requests (operation.py); called with the upload set. A dialect
        that takes files at others' routes describes them with a route that has no verbs.
    """

    rule: str
    endpoint: str
    verbs: Mapping[str, Any]
    strict: bool = False
    operations: Describes | None = None


class Dialect:
    """A dialect of the wire. Subclass it, and register the subclass."""

    #: Its name, for ``ChunkedUpload(dialects=[...])``.
    name: ClassVar[str]
    #: What people call it.
    title: ClassVar[str]
    recognised_by: ClassVar[Recognition]
    #: The body of its refusals, for the description of the API.
    error_schema: ClassVar[type[ErrorSchema]] = ErrorSchema
    #: How the engine's errors read in it.
    refusals: ClassVar[Mapping[type[errors.UploadError], Refusal]] = REFUSALS
    #: Form fields that belong to the dialect. They are not kept as metadata, must not come twice
    #: with different values, and must not come after the file.
    fields: ClassVar[frozenset[str]] = frozenset()
    #: Class of the dialect's own settings, as :attr:`chunked_upload.storage.Storage.settings`.
    settings: ClassVar[type | None] = None
    #: Headers of its requests that a page of another site cannot send without asking first (CORS),
    #: so that requests with one of them need no CSRF token.
    unforgeable_headers: ClassVar[tuple[str, ...]] = ()
    #: Headers that its clients send from other origins (CORS).
    request_headers: ClassVar[tuple[str, ...]] = ()
    #: Headers that its clients read from answers to other origins.
    response_headers: ClassVar[tuple[str, ...]] = ()

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the routes that it adds to those of every upload set."""
        return ()

    def announcement(self, upload_set: Any, rule: str) -> Mapping[str, str]:
        """Return headers with which the answer to OPTIONS at one of its rules announces it."""
        return {}

    def recognises(self, request: Request) -> bool:
        """Return whether a request's head is of this dialect; called on shared routes."""
        return False

    def recognises_file(self, view: Any, incoming: Incoming, upload_id: str | None) -> bool:
        """Return whether a posted file is of this dialect, judged before the file's first byte.

        :param view: the upload set's chunk view (``views/receiving.py``).
        :param upload_id: the id in the URL or the form.
        """
        return False

    def declared_length(self, view: Any, incoming: Incoming) -> int | None:
        """Return the file's length that its client announces; None when missing or wrong.

        An app's checks use it. The parameters are those of :meth:`recognises_file`.
        """
        return None

    def take(self, view: Any, incoming: Incoming, upload_id: str | None) -> Response:
        """Receive a file that :meth:`recognises_file` accepted; the parameters are the same."""
        raise NotImplementedError

    def refusal(self, error: ChunkedUploadError) -> ChunkedUploadError:
        """Return an error with its status and words in this dialect."""
        if not isinstance(error, errors.UploadError):
            return error
        words = next(self.refusals[kind] for kind in type(error).__mro__ if kind in self.refusals)
        detail = words.detail.format(error=error)
        answer = ChunkedUploadError(words.status, **{"detail": detail, **error.data})
        answer.headers.update(words.headers)
        if error.retry_after is not None:  # RFC 9110 10.2.3; for a 413 see 15.5.14
            answer.headers["Retry-After"] = str(error.retry_after)
        answer.__cause__ = error
        return answer

    def render(self, settings: Settings, error: ChunkedUploadError) -> Response:
        """Return the response for an error that :meth:`refusal` returned."""
        return error_reply(settings, error)


_registered: dict[str, type[Dialect]] = {}


def register(dialect: type[Dialect]) -> type[Dialect]:
    """Register a dialect by its name (decorator)."""
    _registered[dialect.name] = dialect
    return dialect


def registered() -> dict[str, type[Dialect]]:
    """Return every dialect by its name: those of this package and of installed distributions."""
    for entry in entry_points(group=ENTRY_POINTS):
        register(entry.load())
    return dict(_registered)


class Dialects:
    """The dialects that an upload set speaks, the surest recognised first.

    :param chosen: names, classes or objects; None for every registered one. The default dialect is
        always among them.
    :raises ConfigurationError: for a name that is not registered.
    """

    def __init__(self, chosen: Iterable[str | type[Dialect] | Dialect] | None = None) -> None:
        known = registered()
        wanted = list(known.values() if chosen is None else chosen)
        spoken = {dialect.name: dialect for dialect in (_made(one, known) for one in wanted)}
        for kind in known.values():
            if kind.recognised_by is Recognition.DEFAULT:
                spoken.setdefault(kind.name, kind())
        self._spoken = sorted(spoken.values(), key=lambda dialect: dialect.recognised_by)
        #: Form fields that belong to one of them.
        self.fields = frozenset[str]().union(*(dialect.fields for dialect in self._spoken))

    def __iter__(self) -> Iterator[Dialect]:
        return iter(self._spoken)

    @property
    def default(self) -> Dialect:
        """The dialect of requests that no other dialect recognises."""
        return self._spoken[-1]

    @property
    def request_headers(self) -> list[str]:
        """Headers that clients of one of them send."""
        return sorted({name for dialect in self._spoken for name in dialect.request_headers})

    @property
    def response_headers(self) -> list[str]:
        """Headers that clients of one of them read."""
        return sorted({name for dialect in self._spoken for name in dialect.response_headers})

    def of_file(self, view: Any, incoming: Incoming, upload_id: str | None) -> Dialect:
        """Return the dialect of a posted file; parameters as :meth:`Dialect.recognises_file`."""
        for dialect in self._spoken:
            if dialect.recognises_file(view, incoming, upload_id):
                return dialect
        return self.default

    def check_late_fields(self, before: Iterable[str], fields: Iterable[str]) -> None:
        """Check the fields of a form once its file has been read.

        :param before: the fields that came before the file.
        :raises BadRequest: when a dialect's field came after the file.
        """
        late = set(fields).difference(before)
        for dialect in self._spoken:
            if late & dialect.fields:
                raise BadRequest(f"{dialect.title}'s fields must come before the file")


def chosen(dialects: Any) -> tuple[Any, ...] | None:
    """Return what an app's ``dialects=`` names, to be read more than once; None for all.

    :raises ConfigurationError: when it is not a list of them.
    """
    if dialects is None:
        return None
    if isinstance(dialects, (str, Mapping)) or not isinstance(dialects, Iterable):
        raise ConfigurationError(
            f"dialects= must be a list of names, classes or objects, not {dialects!r}"
        )
    return tuple(dialects)


def _made(one: str | type[Dialect] | Dialect, known: Mapping[str, type[Dialect]]) -> Dialect:
    if isinstance(one, str):
        if one not in known:
            raise ConfigurationError(f"dialects= has {one!r}; known are {sorted(known)}")
        one = known[one]
    made = one() if isinstance(one, type) and issubclass(one, Dialect) else one
    if not isinstance(made, Dialect):
        raise ConfigurationError(
            f"dialects= has {one!r}, which is no Dialect; known are {sorted(known)}"
        )
    return made
