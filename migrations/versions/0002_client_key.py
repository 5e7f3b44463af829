"""client_key

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.add_column(sa.Column("client_key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("declared", sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index(
            "ix_chunked_upload_client_key",
            ["client_key", "quota_key", "upload_set"],
            unique=True,
            sqlite_where=sa.text("client_key IS NOT NULL"),
            postgresql_where=sa.text("client_key IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.drop_index("ix_chunked_upload_client_key")
        batch_op.drop_column("declared")
        batch_op.drop_column("client_key")
