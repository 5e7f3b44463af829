"""checksums: a mapping of any number of them, instead of columns for MD5 alone

Revision ID: 0003
Revises: 0002
"""

from base64 import b64decode, b64encode

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLE = sa.table(
    "chunked_upload",
    sa.column("id", sa.BigInteger()),
    sa.column("md5", sa.String()),
    sa.column("digest_state", sa.LargeBinary()),
    sa.column("digest_offset", sa.BigInteger()),
    sa.column("checksums", sa.JSON()),
    sa.column("checksum_states", sa.JSON()),
)

_BATCH = 500


def upgrade() -> None:
    empty = sa.text("'{}'")
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.add_column(sa.Column("checksums", sa.JSON(), server_default=empty, nullable=False))
        batch_op.add_column(
            sa.Column("checksum_states", sa.JSON(), server_default=empty, nullable=False)
        )
    _copy_md5s()
    _each(_TABLE.c.digest_state.is_not(None), _states_of)
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.drop_column("md5")
        batch_op.drop_column("digest_state")
        batch_op.drop_column("digest_offset")


def downgrade() -> None:
    """Keep the MD5s; other checksums are lost, and what is unfinished is read at completion."""
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.add_column(sa.Column("md5", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("digest_state", sa.LargeBinary(), nullable=True))
        batch_op.add_column(
            sa.Column("digest_offset", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
    op.execute(sa.update(_TABLE).values(md5=_TABLE.c.checksums["md5"].as_string()))
    _each(sa.cast(_TABLE.c.checksum_states, sa.Text()) != "{}", _digest_of)
    with op.batch_alter_table("chunked_upload", schema=None) as batch_op:
        batch_op.alter_column("digest_offset", server_default=None)
        batch_op.drop_column("checksum_states")
        batch_op.drop_column("checksums")


def _copy_md5s() -> None:
    # By the database itself: there may be millions.
    postgresql = op.get_bind().dialect.name == "postgresql"
    make = sa.func.json_build_object if postgresql else sa.func.json_object
    mapping = make(sa.literal_column("'md5'"), _TABLE.c.md5)
    op.execute(sa.update(_TABLE).where(_TABLE.c.md5.is_not(None)).values(checksums=mapping))


def _states_of(row):
    state = b64encode(row.digest_state).decode()
    return {"checksum_states": {"md5": {"offset": row.digest_offset, "state": state}}}


def _digest_of(row):
    kept = row.checksum_states.get("md5", {})
    if "state" not in kept:
        return {"digest_state": None, "digest_offset": 0}
    return {"digest_state": b64decode(kept["state"]), "digest_offset": kept["offset"]}


def _each(which, values_of) -> None:
    """Set values of the rows, all of unfinished uploads, that a condition selects."""
    connection, last = op.get_bind(), 0
    columns = [column for column in _TABLE.c if column.name in _columns(connection)]
    while True:
        page = sa.select(*columns).where(which, _TABLE.c.id > last)
        rows = connection.execute(page.order_by(_TABLE.c.id).limit(_BATCH)).all()
        for row in rows:
            change = sa.update(_TABLE).where(_TABLE.c.id == row.id).values(values_of(row))
            connection.execute(change)
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


def _columns(connection) -> set[str]:
    return {column["name"] for column in sa.inspect(connection).get_columns("chunked_upload")}
