"""Alerts hold how long people took, in the index of lists: figures of a month are counted without looking any up.

When an alert was taken is not known of those from before, when it was decided is.
"""

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_AT_ONCE = 10_000


class _Body(msgspec.Struct):
    accepted_at: int


class _Ruling(msgspec.Struct):
    at: int


class _Review(msgspec.Struct):
    ruling: _Ruling | None = None


class _Kept(msgspec.Struct):
    review: _Review


def upgrade() -> None:
    op.drop_index("ix_alerts_list", table_name="alerts")
    for name, kind in (("claim_s", sa.Integer()), ("decide_s", sa.Integer()), ("decided_at", sa.BigInteger())):
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    _fill()
    op.create_index(
        "ix_alerts_list",
        "alerts",
        ["tenant", "at", "severity", "tier", "state", "post", "unit", "outcome", "claimed_by", "categories", "rule",
         "room", "claim_s", "decide_s", "decided_at"],
        unique=False,
    )


def _fill() -> None:
    """Some at a time, by id: there may be a million."""
    connection = op.get_bind()
    alerts = sa.table("alerts", *(sa.column(name) for name in (
        "id", "body", "review", "outcome", "decide_s", "decided_at")))
    row = alerts.c
    statement = sa.update(alerts).where(row.id == sa.bindparam("of_id")).values(
        decide_s=sa.bindparam("took"), decided_at=sa.bindparam("when"))
    body, kept = msgspec.msgpack.Decoder(_Body), msgspec.msgpack.Decoder(_Kept)
    last = ""
    while some := connection.execute(
        sa.select(row.id, row.body, row.review).where(row.id > last, row.outcome != "", row.review.is_not(None))
        .order_by(row.id).limit(_AT_ONCE)
    ).all():
        last = some[-1].id
        ruled = ((each.id, each.body, kept.decode(each.review).review.ruling) for each in some)
        found = [{"of_id": name, "when": at.at, "took": max(0, at.at - body.decode(packed).accepted_at) // 1_000}
                 for name, packed, at in ruled if at is not None]
        if found:
            connection.execute(statement, found)
