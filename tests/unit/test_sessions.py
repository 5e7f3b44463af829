"""The stand-alone server's session cookies: signed with the keys that the app has now."""

from __future__ import annotations

import pytest
from flask import Flask
from itsdangerous import BadSignature, URLSafeTimedSerializer

from chunked_upload.standalone import LastingSessions


def test_a_new_secret_key_is_followed_and_old_ones_hold_as_long_as_they_are_kept() -> None:
    app, sessions = Flask("app"), LastingSessions()

    def signer() -> URLSafeTimedSerializer:
        found = sessions.get_signing_serializer(app)
        assert found is not None
        return found

    assert sessions.get_signing_serializer(app) is None  # no key yet
    app.secret_key = "first"
    cookie = signer().dumps({"visitor": "1"})
    assert signer() is signer()
    app.secret_key = "second"
    app.config["SECRET_KEY_FALLBACKS"] = ["first"]
    assert signer().loads(cookie) == {"visitor": "1"}
    app.config["SECRET_KEY_FALLBACKS"].clear()
    with pytest.raises(BadSignature):
        signer().loads(cookie)
