"""Alerts hold their categories, so that lists under several filters look none up; what gauges count has indexes."""

from itertools import groupby, islice

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_AT_ONCE = 10_000
_LIVE = sa.text("state IN ('open', 'claimed', 'escalated')")
_UNROUTED = sa.text("unrouted")


def upgrade() -> None:
    op.add_column("alerts", sa.Column("categories", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_alerts_list", table_name="alerts")
    _fill()
    op.create_index(
        "ix_alerts_list",
        "alerts",
        ["tenant", "at", "severity", "tier", "state", "post", "unit", "outcome", "claimed_by", "categories"],
        unique=False,
    )
    op.create_index("ix_alerts_live_post", "alerts", ["tenant", "post", "severity", "reason", "at", "state"],
                    unique=False, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_index("ix_queue_unrouted", "queue", ["tenant", "post", "severity", "unrouted"], unique=False,
                    sqlite_where=_UNROUTED, postgresql_where=_UNROUTED)


def _fill() -> None:
    """In the order of the rows, some at a time: there may be a million."""
    connection = op.get_bind()
    of = sa.table("alert_categories", sa.column("alert_id"), sa.column("category"))
    alerts = sa.table("alerts", sa.column("id"), sa.column("categories"))
    statement = sa.update(alerts).where(alerts.c.id == sa.bindparam("of_id")).values(categories=sa.bindparam("held"))
    rows = connection.execute(sa.select(of.c.alert_id, of.c.category).order_by(of.c.alert_id, of.c.category))
    found = ({"of_id": name, "held": "".join(f" {row.category}" for row in some) + " "}
             for name, some in groupby(rows, key=lambda row: row.alert_id))
    while part := list(islice(found, _AT_ONCE)):
        connection.execute(statement, part)
