"""A primary that comes back beside the promoted one, against the advice of docs/scaling.md."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from chunked_upload.records import timeouts
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support import replication
from tests.support.protocol import Protocol, md5_of

HOST = "127.0.0.1"
DATA = bytes(range(30))

pytestmark = [pytest.mark.one_database, pytest.mark.long]


def test_it_confirms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells old offsets to who comes to it, but its commits wait for a standby that is gone."""
    patient = timeouts.limit_answers
    monkeypatch.setattr(timeouts, "limit_answers", partial(patient, seconds=2))
    with replication.pair((HOST, HOST)) as pair:
        app = Flask("tests", instance_path=str(tmp_path))
        app.config.update(SECRET_KEY="tests", SQLALCHEMY_DATABASE_URI=pair.uri, TESTING=True)
        ChunkedUpload(app)
        create_tables(app)
        protocol = Protocol(app.test_client())
        upload_id = answer(protocol.chunk(DATA[:10], 0, 30))["upload_id"]
        old = pair.primary
        old.kill()
        pair.take_over()
        forget_connections(app)
        answer(protocol.put(upload_id, DATA[10:20], 10, 30))

        old.start()
        forget_connections(app)  # the URI names the old one first
        assert answer(protocol.state(upload_id))["offset"] == 10
        refused = protocol.put(upload_id, DATA[10:20], 10, 30)
        assert refused.status_code == 503
        assert "Retry-After" in refused.headers

        old.stop()
        forget_connections(app)
        assert answer(protocol.state(upload_id))["offset"] == 20
        answer(protocol.put(upload_id, DATA[20:], 20, 30))
        form = {"upload_id": upload_id, "md5": md5_of(DATA)}
        done = app.test_client().post("/uploads/complete", data=form)
        assert answer(done)["status"] == 2
        forget_connections(app)


def forget_connections(app: Flask) -> None:
    """Have the next request look for the primary."""
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
