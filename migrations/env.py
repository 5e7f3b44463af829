"""Alembic's environment: the current app's database and models (Flask-Migrate)."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import text

from chunked_upload.records.timeouts import wait_for_ever

#: Any fixed number: hosts that start together migrate one after the other (PostgreSQL).
MIGRATION_LOCK = 0x6368756E6B6564


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our column types as plain SQLAlchemy, so that old migrations need no code of ours."""
    if kind == "type" and type(item).__name__ == "UTCDateTime":
        return "sa.DateTime(timezone=True)"
    return False


def main() -> None:
    """Run the migrations on a live connection; there is no offline mode."""
    db = current_app.extensions["migrate"].db
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Both may take longer than a request may wait: a migration, and another host's.
                wait_for_ever(connection.connection.dbapi_connection)
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK}
                )
            context.run_migrations()


main()
