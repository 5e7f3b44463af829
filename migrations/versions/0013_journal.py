"""the journal of failures and of what administrators did

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chunked_upload_journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("upload_set", sa.String(length=64), nullable=True),
        sa.Column("upload_id", sa.String(length=32), nullable=True),
        sa.Column("who", sa.String(length=255), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("detail", sa.String(length=512), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_chunked_upload_journal_upload_id", "chunked_upload_journal", ["upload_id"])


def downgrade() -> None:
    op.drop_table("chunked_upload_journal")
