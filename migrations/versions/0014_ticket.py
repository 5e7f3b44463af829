"""the ticket by which an upload was begun

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chunked_upload") as table:
        table.add_column(sa.Column("ticket", sa.String(length=64), nullable=True))
        table.create_index("ix_chunked_upload_ticket", ["ticket"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("chunked_upload") as table:
        table.drop_index("ix_chunked_upload_ticket")
        table.drop_column("ticket")
