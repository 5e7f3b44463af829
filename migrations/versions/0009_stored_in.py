"""the storage that has an upload's bytes

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chunked_upload") as table:
        table.add_column(sa.Column("stored_in", sa.String(length=255), nullable=True))
        table.add_column(sa.Column("other_copy", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("chunked_upload") as table:
        table.drop_column("other_copy")
        table.drop_column("stored_in")
