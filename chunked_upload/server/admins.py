"""Who administrates the stand-alone server: whoever has a token with the scope ``admin``."""

from __future__ import annotations

from flask import Request, current_app

from chunked_upload.administration.access import AdminOff
from chunked_upload.http.access.tokens import ADMIN, TokenInvalid, bearer
from chunked_upload.http.upload_set import BoundUploadSet


class AdminTokens:
    """The ``admin_loader`` of the stand-alone server."""

    #: The page asks for a token.
    takes_token = True

    def __call__(self, request: Request) -> str | None:
        """Return the name of the admin token that a request has sent; None if it has none.

        :raises AdminOff: when the service has no admin token at all.
        """
        upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
        tokens = next(iter(upload_sets.values())).tokens
        given = bearer(request)
        if given is not None:
            try:
                token = tokens.find(given)
            except TokenInvalid:
                token = None
            if token is not None and ADMIN in token.scopes:
                return token.name
        if tokens.stored is None or not tokens.stored.any_of(ADMIN):
            raise AdminOff
        return None
