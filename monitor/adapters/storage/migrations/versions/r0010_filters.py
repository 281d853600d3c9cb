"""Queues and lists are filtered by what their own rows hold, without looking each alert up."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FACTS = ("severity", "tier", "rule", "room", "state", "claimed_by", "unit")


def upgrade() -> None:
    for name in (*_FACTS, "categories"):
        op.add_column("queue", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in _FACTS:
        op.execute(f"UPDATE queue SET {name} = (SELECT {name} FROM alerts WHERE alerts.id = queue.alert_id)")  # noqa: S608
    queue = sa.table("queue", sa.column("alert_id"), sa.column("categories"))
    of = sa.table("alert_categories", sa.column("alert_id"), sa.column("category"))
    found: dict[str, str] = {}
    connection = op.get_bind()
    for name, category in connection.execute(
            sa.select(of.c.alert_id, of.c.category).where(of.c.alert_id.in_(sa.select(queue.c.alert_id)))):
        found[name] = found.get(name, " ") + category + " "
    for name, categories in found.items():
        connection.execute(sa.update(queue).where(queue.c.alert_id == name).values(categories=categories))
    op.drop_index("ix_alerts_tenant_at", table_name="alerts")
    op.drop_index("ix_alerts_claimed", table_name="alerts")
    op.create_index(
        "ix_alerts_list",
        "alerts",
        ["tenant", "at", "severity", "tier", "state", "post", "unit", "outcome", "claimed_by"],
        unique=False,
    )
