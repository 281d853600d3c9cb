"""Cues are numbered by room, messages know theirs, and each rule has a track. Nothing wrote cues or messages before."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("cues")
    op.create_table(
        "cues",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cues")),
    )
    op.create_index(op.f("ix_cues_tenant_alert_id"), "cues", ["tenant", "alert_id"], unique=False)
    op.create_index(op.f("ix_cues_tenant_room_at"), "cues", ["tenant", "room", "at"], unique=False)
    op.create_index(op.f("ix_cues_tenant_room_seq"), "cues", ["tenant", "room", "seq"], unique=False)
    op.drop_table("messages")
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(
        "ix_messages_due",
        "messages",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index(op.f("ix_messages_tenant_at"), "messages", ["tenant", "at"], unique=False)
    op.create_table(
        "tracks",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("violations", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "rule", name=op.f("pk_tracks")),
    )
    op.execute(
        "INSERT INTO tracks (tenant, rule, violations, decisions) "
        "SELECT tenant, rule, sum(CASE WHEN outcome = 'violation' THEN 1 ELSE 0 END), count(*) FROM alerts "
        "WHERE outcome IN ('violation', 'no_violation', 'exempt') GROUP BY tenant, rule"
    )
