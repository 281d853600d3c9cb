"""Broadcasts know when their host was last heard; their open alerts are counted in the index of live ones."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('open', 'claimed', 'escalated')")


def upgrade() -> None:
    op.add_column("broadcasts", sa.Column("heard_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.drop_index("ix_alerts_live_room", table_name="alerts")
    op.create_index(
        "ix_alerts_live_room",
        "alerts",
        ["tenant", "room", "broadcast", "state"],
        unique=False,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
