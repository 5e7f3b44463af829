"""bytes of each owner by day

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chunked_upload_day",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quota_key", sa.String(length=255), nullable=False),
        sa.Column("upload_set", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("quota_key", "upload_set", "day"),
    )
    op.create_index("ix_chunked_upload_day_day", "chunked_upload_day", ["day"], unique=False)


def downgrade() -> None:
    op.drop_table("chunked_upload_day")
