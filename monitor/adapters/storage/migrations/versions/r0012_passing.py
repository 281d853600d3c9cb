"""Slots and shifts are found by their times, so that those that are long over need not be in memory."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN_END_MS = 12 * 3_600_000


def upgrade() -> None:
    for name in ("starts", "ends"):
        op.add_column("records", sa.Column(name, sa.BigInteger(), nullable=True))
    names = ("tenant", "kind", "id", "body", "starts", "ends")
    records = sa.table("records", *(sa.column(name) for name in names))
    row, connection = records.c, op.get_bind()
    found = connection.execute(sa.select(row.tenant, row.kind, row.id, row.body).where(
        row.kind.in_(("slot", "shift")), row.body.is_not(None))).all()
    for tenant, kind, name, body in found:
        record = json.loads(body)
        ends = record.get("ends")
        connection.execute(
            sa.update(records).where(row.tenant == tenant, row.kind == kind, row.id == name)
            .values(starts=record["starts"], ends=record["starts"] + _OPEN_END_MS if ends is None else ends))
    op.create_index("ix_records_ends", "records", ["tenant", "kind", "ends"], unique=False,
                    sqlite_where=sa.text("ends IS NOT NULL"), postgresql_where=sa.text("ends IS NOT NULL"))
