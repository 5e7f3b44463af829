"""What a page tells its user before a file is chosen: who they are, what they may send."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.access import callers
from chunked_upload.http.access.callers import Caller

from ..schemas import AccountSchema
from .quota import level
from .resource import ResourceView


class AccountView(ResourceView):
    """The caller's name, limits and quota."""

    def get(self) -> Response:
        """Answer with what holds for this caller now."""
        self.check_permissions(request)
        settings = self.settings
        max_age = int(settings.share_max_age.total_seconds())
        account = {
            "name": self._name(self.upload_set.caller(request)),
            "limits": self._limits(),
            "quota": self._quota(),
            "expires_after": int(settings.expiration_delta.total_seconds()),
            "share": {"enabled": settings.share, "max_age": max_age},
        }
        response = self.reply(AccountSchema().dump(account))
        response.headers["Cache-Control"] = "no-store"
        return response

    head = get

    def _name(self, caller: Caller) -> str | None:
        """Return what to call the caller: its token's name, or what the app says."""
        name_of = self.upload_set.hooks.names_user
        if caller.token is not None or caller.user is None or name_of is None:
            return caller.token
        name = name_of(caller.user)
        return None if name is None else str(name)

    def _limits(self) -> dict[str, Any]:
        """Return what one file of this caller may be."""
        view = self.upload_set.upload_view(self.upload_set)
        return {
            "max_bytes": view.most_bytes(request),
            "max_chunk_bytes": self.upload_set.max_chunk_bytes,
            "allowed_extensions": self.settings.allowed_extensions,
            "denied_extensions": self.settings.denied_extensions,
        }

    def _quota(self) -> dict[str, Any] | None:
        """Return what the caller's unfinished uploads take, and what they may take."""
        caller = self.upload_set.caller(request)
        limits = self.settings.limits(caller.owner)
        if limits.open_bytes is limits.open_uploads is None:
            return None
        key = callers.quota_key(self.upload_set.app, request, caller)
        with translate_failures():
            used, _ = self.engine.records.usage(key, upload_set=self.upload_set.name)
        return {
            "bytes": level(used.open_bytes, limits.open_bytes),
            "files": level(used.open_uploads, limits.open_uploads),
        }
