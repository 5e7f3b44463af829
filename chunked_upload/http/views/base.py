"""What the views of every dialect share: rules about callers, and errors as answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from flask import Request, Response, current_app, request
from flask.views import View

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.errors import TooManyRequests, UploadNotFound
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access import callers, csrf
from chunked_upload.http.access.tokens import READ, UPLOAD, bearer
from chunked_upload.http.errors import (
    AuthenticationRequired,
    CsrfRefused,
    MethodNotOffered,
    ScopeMissing,
    TicketRefused,
    TokenRefused,
    request_too_large,
)
from chunked_upload.records.model import is_upload_id
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record
from chunked_upload.settings.keys import Settings
from chunked_upload.support.log_context import note_upload

from ..checks import run_checks
from ..dialect import Dialect
from ..late_context import enter_context
from ..security import security_event
from ..upload_set import BoundUploadSet
from ..wire.body import LIMIT_KEY
from ..wire.conditions import drop_unreadable
from ..wire.fields import expose_fields
from ..wire.linger import linger
from ..wire.replies import json_reply
from .answered import answered
from .exceptions import answer_of_app, refusal_of
from .pending_commit import PendingCommit
from .request_log import request_log

#: Verbs routed to the views, which answer 405 in JSON themselves for those they do not offer.
VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ChunkedUploadBaseView(View):
    """Base of the protocol's views; hooks have django-chunked-upload's names and arguments.

    :param upload_set: the upload set it serves; by default the current app's upload set
        ``upload_set``.
    :param dialect: whose route it serves; by default the default dialect.
    """

    methods = VERBS
    provide_automatic_options = False

    #: The upload set it serves; a view that the app routes itself has its name here.
    upload_set: Any = "chunked_upload"
    #: The upload model; None for the upload set's.
    model: Any = None
    #: Attribute of the model that holds the user: a relationship, or a column for the user's id.
    user_field_name: str = "user"
    #: The upload that the request is about to start or continue, or the record that it completes.
    upload_to_be: Any = None
    #: The view reads forms and passes their fields to :meth:`take_fields`, before it stores a byte.
    takes_fields: ClassVar[bool] = False

    def __init__(
        self, upload_set: BoundUploadSet | None = None, dialect: Dialect | None = None
    ) -> None:
        self.upload_set = upload_set or current_app.extensions["chunked_upload"][self.upload_set]
        #: The dialect in which the request is answered.
        self.dialect: Dialect = dialect or self.upload_set.dialects.default
        if self.model is None:
            self.model = self.upload_set.model

    @cached_property
    def request(self) -> Request:
        """The request itself, since every access through Flask's proxy costs time."""
        itself: Request = request._get_current_object()  # type: ignore[attr-defined]
        return itself

    def use_request(self, request: Request) -> None:
        """Answer a request that was not dispatched by Flask (http/shortcut.py)."""
        self.request = request

    @cached_property
    def engine(self) -> UploadEngine:
        """The engine for this view's model; the same throughout a request."""
        engine: UploadEngine = self.upload_set.engine_for(self.model)
        return engine

    @property
    def settings(self) -> Settings:
        """The upload set's settings, the same throughout a request."""
        return self.engine.settings

    def get_queryset(self, request: Request) -> UploadQuery:
        """Return the query of the uploads that the caller may use (hook).

        An authenticated caller may use their own uploads. An anonymous caller may use every
        anonymous upload, since knowing the id is the permission.
        """
        caller, queries = self.upload_set.caller(request), self.engine.records.queries
        own = queries.owned_by(caller.owner, upload_set=self.upload_set.name)
        return own if caller.ticket is None else queries.by_ticket(own, caller.ticket.key)

    def validate(self, request: Request) -> None:
        """Check the request (hook); raise ChunkedUploadError to refuse it.

        :attr:`upload_to_be` describes the upload.
        """
        run_checks(self.upload_set.hooks.validators, request, self.upload_to_be)

    def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
        """Return the data of a successful answer (hook)."""
        return {}

    def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        """Run before the record is saved (hook); an override may set attributes of the record."""

    def save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        """Save the record (hook); an override must call this one."""
        if self._pending is None:
            raise RuntimeError(f"{type(self).__name__}.save() was called outside of its request")
        self._pending.commit()

    def post_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        """Run after the record is saved (hook)."""

    def check_permissions(self, request: Request) -> None:
        """Refuse callers that may not upload (hook), before any byte of the body is read.

        :raises AuthenticationRequired: when callers must be known and this one is not.
        """
        caller = self.upload_set.caller(request)
        if caller.refused is not None:
            raise TokenRefused(caller.refused)
        known = caller.owner or request.environ.get(callers.BY_APP)
        if self.upload_set.login_required and not known:
            takes_tokens = self.upload_set.takes_tokens
            reason = callers.refusal_reason(request, tokens=takes_tokens)
            sent = takes_tokens and bearer(request) is not None
            raise TokenRefused(reason) if sent else AuthenticationRequired(reason)
        run_checks(self.upload_set.hooks.checks_callers, request, None)

    def needed_scopes(self) -> tuple[str, ...]:
        """Return the scopes of which a caller's token needs one for this request; () for none."""
        return (UPLOAD,) if self.request.method in csrf.UNSAFE else (UPLOAD, READ)

    def find(self, upload_id: str) -> Record:
        """Return the caller's upload.

        :raises UploadNotFound: when there is none, it is another's, or the id is not an id.
        """
        record = self._find(upload_id)
        ticket = self.upload_set.caller(self.request).ticket
        if ticket is not None and record.ticket != ticket.key:
            raise UploadNotFound
        return record

    @property
    def asks_app_about_found(self) -> bool:
        """Whether code of the app sees a known upload before bytes of it are written."""
        own, base = type(self), ChunkedUploadBaseView
        usual = own.get_queryset is base.get_queryset and own.validate is base.validate
        return not usual or bool(self.upload_set.hooks.validators)

    def find_to_write(self, upload_id: str, plan: WritePlan) -> Record:
        """Return the caller's upload, with the write lease for a plan if one statement can do both.

        A lease ends an older request for the same bytes, so where the app might refuse this one
        later, it is taken later.

        :raises UploadNotFound: as :meth:`find` does.
        """
        if not self.asks_app_about_found and is_upload_id(upload_id):
            note_upload(upload_id)
            caller, name = self.upload_set.caller(self.request), self.upload_set.name
            ticket = None if caller.ticket is None else caller.ticket.key
            record = self.engine.leasing.find(
                upload_id, plan, upload_set=name, owner=caller.owner, ticket=ticket
            )
            if record is not None:
                return record
        return self.find(upload_id)

    def _find(self, upload_id: str) -> Record:
        if not is_upload_id(upload_id):
            raise UploadNotFound
        note_upload(upload_id)
        if type(self).get_queryset is not ChunkedUploadBaseView.get_queryset:
            visible = self.get_queryset(self.request)
            return self.engine.find(self.engine.records.queries.by_id(visible, upload_id))
        owner = self.upload_set.caller(self.request).owner
        return self.engine.find_own(upload_id, upload_set=self.upload_set.name, owner=owner)

    def take_fields(self, fields: dict[str, str]) -> None:
        """Pass the fields before the file to hooks, and check the CSRF token among them.

        :raises CsrfRefused:
        """
        expose_fields(self.request, fields)
        csrf.check_fields(self.request, fields)

    def admit(self, fields: dict[str, str]) -> None:
        """Check a caller who has chosen this view's upload set at another one's URL.

        :param fields: the fields before the file.
        :raises ChunkedUploadError: as at the set's own URL.
        """
        self.upload_set.guard_connections(self.request)
        self._check_csrf()
        self.check_permissions(self.request)
        self.take_fields(fields)

    def reply(self, content: Any, status: int = 200) -> Response:
        """Answer in JSON."""
        return json_reply(self.settings, content, status)

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Return the response for a refusal that has its status and words."""
        return self.dialect.render(self.settings, error)

    def options(self, **kwargs: Any) -> Response:
        """Answer with the offered verbs (RFC 9110 9.3.7); browsers ask before crossing origins."""
        return Response(status=204, headers={"Allow": ", ".join(self.offers())})

    def dispatch_request(self, **kwargs: Any) -> Response:
        """Answer the request, and tell that it is answered."""
        with request_log(self.request) as identify:
            begun = time.perf_counter()
            response = identify(self._respond(kwargs))
            dialect, error = self.dialect, self._refused
            return answered(
                response, self.request, self.upload_set, dialect, begun=begun, error=error
            )

    def _respond(self, arguments: dict[str, Any]) -> Response:
        """Call the method of the verb, and translate errors into answers."""
        self.upload_set.guard_connections(self.request)
        drop_unreadable(self.request.environ)
        callers.withhold_session(self.request, self.upload_set.settings.cors_origins)
        try:
            handler = self._handler()
            self._check_length()
            self._check_scope()
            self._check_rate()
            self._check_csrf()
            return handler(**arguments)
        except Exception as error:
            self._refused = error
            return linger(self._answer(error), self.request)

    def _answer(self, error: Exception) -> Response:
        """Answer an exception by the app's own error handler, or else in the dialect's words."""
        enter_context()
        if isinstance(error, (TokenRefused, TicketRefused, ScopeMissing, CsrfRefused)):
            told = self.upload_set.caller(self.request)
            security_event(error, self.request, upload_set=self.upload_set.name, owner=told.owner)
        if isinstance(error, CsrfRefused):
            error.data["csrf_token_url"] = self.upload_set.url("csrf_token")
        refusal = self.dialect.refusal(refusal_of(error))
        return answer_of_app(refusal) or self.refuse(refusal)

    @classmethod
    def offers(cls) -> list[str]:
        """Return the verbs this view answers."""
        return [verb for verb in VERBS if hasattr(cls, verb.lower())]

    def _handler(self) -> Callable[..., Response]:
        handler: Callable[..., Response] | None = getattr(self, self.request.method.lower(), None)
        if handler is None:
            raise MethodNotOffered(self.offers())
        return handler

    def _check_length(self) -> None:
        """Hold the request to Flask's own limit, ``MAX_CONTENT_LENGTH``."""
        limit = self.request.max_content_length
        if limit is None:
            return
        if (self.request.content_length or 0) > limit:
            raise request_too_large(limit)
        self.request.environ[LIMIT_KEY] = limit

    def _check_scope(self) -> None:
        """Hold a token to its scopes, whatever the app's own rules for callers are.

        :raises ScopeMissing:
        """
        if "HTTP_AUTHORIZATION" not in self.request.environ:
            return
        needed = self.needed_scopes()
        has = self.upload_set.caller(self.request).scopes if needed else None
        if has is not None and not has.intersection(needed):
            raise ScopeMissing(has=has, needs=needed)

    def _check_rate(self) -> None:
        """Count the request among those of its caller.

        :raises TooManyRequests:
        """
        rate = self.upload_set.request_rate
        if rate is None or not self.needed_scopes():
            return
        caller = self.upload_set.caller(self.request)
        most = self.upload_set.settings.limits(caller.owner).requests_per_second
        if most is None:
            return
        whose = callers.quota_key(self.upload_set.app, self.request, caller)
        key = f"{self.upload_set.name}/{whose}"
        if (wait := rate.take(key, per_second=most)) > 0:
            raise TooManyRequests(limit=most, retry_after=math.ceil(wait))

    def _check_csrf(self) -> None:
        if self.request.method not in csrf.UNSAFE or not self.upload_set.checks_csrf:
            return
        proven = any(name in self.request.headers for name in self.dialect.unforgeable_headers)
        if proven or self.upload_set.caller(self.request).by_token:
            return
        csrf.check_head(self.request, fields_follow=self.takes_fields)

    #: What :meth:`save` records; None except while the hooks around it run.
    _pending: PendingCommit | None = None
    #: Why the request was refused.
    _refused: Exception | None = None

    def commit(self, pending: PendingCommit, *, new: bool) -> None:
        """Record a chunk or a completion; run the hooks before, around and after it.

        :raises RuntimeError: when an override of :meth:`save` does not call the original.
        """
        record, self._pending = pending.record, pending
        note_upload(record.upload_id)
        try:
            self.pre_save(record, self.request, new=new)
            self.save(record, self.request, new=new)
            if not pending.committed:
                raise RuntimeError(f"{type(self).__name__}.save() must call super().save()")
            self.post_save(record, self.request, new=new)
        finally:
            self._pending = None
