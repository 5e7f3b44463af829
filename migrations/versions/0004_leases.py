"""leases, storage_state

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.add_column(sa.Column("storage_state", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("write_leases", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("lease_token", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("lease_until", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.drop_column("lease_until")
        batch_op.drop_column("lease_token")
        batch_op.drop_column("write_leases")
        batch_op.drop_column("storage_state")
