"""Make uploads expire without waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import update


def expire(app: Flask, upload_id: str, name: str = "chunked_upload") -> None:
    """Move an upload's time to an hour ago."""
    with_less_time(app, upload_id, seconds=-3600, name=name)


def with_less_time(
    app: Flask, upload_id: str, *, seconds: int, name: str = "chunked_upload"
) -> None:
    """Have an upload expire in so many seconds."""
    upload_set = app.extensions["chunked_upload"][name]
    model = upload_set.model
    with app.app_context():
        upload_set.db.session.execute(
            update(model)
            .where(model.upload_id == upload_id)
            .values(expires_on=datetime.now(UTC) + timedelta(seconds=seconds))
        )
        upload_set.db.session.commit()
