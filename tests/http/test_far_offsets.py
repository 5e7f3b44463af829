"""Offsets at which no file can have bytes: the client's fault, said without a traceback."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.forms import content_range, file, post_form
from tests.support.protocol import records


@pytest.mark.parametrize("start", [2**44, 2**53, 2**62, 2**63 - 3])
def test_far_offsets_are_refused(
    client: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture, start: int
) -> None:
    with caplog.at_level(logging.WARNING):
        chunks = post_form(client, file(b"x"), span=content_range(start, b"x", 2**63 - 1))
        fields = {
            "dzuuid": "u",
            "dzchunkindex": str(start),
            "dztotalchunkcount": str(start + 1),
            "dzchunksize": "1",
            "dzchunkbyteoffset": str(start),
            "dztotalfilesize": str(start + 1),
        }
        dropzone = client.post("/uploads/?filename=a", data=b"x", headers=fields)
    # Dropzone's last chunk is taken where the file system can have such files, and room for them.
    assert 400 <= chunks.status_code < 500
    assert dropzone.status_code in (200, 507) or 400 <= dropzone.status_code < 500
    assert not [record for record in caplog.records if record.exc_info]
    assert len(records(app)) == (dropzone.status_code == 200)
