"""Storms tell what they still hold; what is held is listed by what holds it; same words are found in other rooms."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('open', 'claimed', 'escalated')")
_HELD = sa.text("held_by != ''")


def upgrade() -> None:
    op.add_column("storms", sa.Column("waiting", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_storms_standing",
        "storms",
        ["tenant", "id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(
        "UPDATE storms SET waiting = (SELECT count(*) FROM alerts "
        "WHERE alerts.tenant = storms.tenant AND alerts.held_by = storms.id AND alerts.reason = 'storm')"
    )
    op.add_column("alerts", sa.Column("alike", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_alerts_held_by", table_name="alerts")
    op.drop_index("ix_alerts_live_room", table_name="alerts")
    op.create_index(
        "ix_alerts_live_room",
        "alerts",
        ["tenant", "room"],
        unique=False,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_alerts_live_alike",
        "alerts",
        ["tenant", "alike"],
        unique=False,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_alerts_held",
        "alerts",
        ["tenant", "held_by", "reason", "priority", "id", "post", "unit"],
        unique=False,
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    )
