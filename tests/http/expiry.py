"""Make uploads expire without waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import update


def expire(app: Flask, upload_id: str, name: str = "chunked_upload") -> None:
    """Move an upload's time to an hour ago."""
    upload_set = app.extensions["chunked_upload"][name]
    model = upload_set.model
    with app.app_context():
        upload_set.db.session.execute(
            update(model)
            .where(model.upload_id == upload_id)
            .values(expires_on=datetime.now(UTC) - timedelta(hours=1))
        )
        upload_set.db.session.commit()
