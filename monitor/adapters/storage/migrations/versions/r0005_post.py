"""The supervision post: how far people are with alerts, what tenants keep of themselves, people, the trail."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_tenant_of_seq"), "audit", ["tenant", "of", "seq"], unique=False)
    op.create_table(
        "checks",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_checks")),
    )
    op.create_index(op.f("ix_checks_tenant_at"), "checks", ["tenant", "at"], unique=False)
    op.create_table(
        "cues",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cues")),
    )
    op.create_index(op.f("ix_cues_tenant_alert_id"), "cues", ["tenant", "alert_id"], unique=False)
    op.create_index(op.f("ix_cues_tenant_room_at"), "cues", ["tenant", "room", "at"], unique=False)
    op.create_table(
        "handed",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handed")),
    )
    op.create_index(op.f("ix_handed_tenant_alert_id"), "handed", ["tenant", "alert_id"], unique=False)
    op.create_index(op.f("ix_handed_to_at"), "handed", ["to", "at"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "actor", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_at"), "idempotency", ["at"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_tenant_login"), "invitations", ["tenant", "login"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
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
        "moves",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "version", name=op.f("pk_moves")),
    )
    op.create_index(op.f("ix_moves_tenant_at"), "moves", ["tenant", "at"], unique=False)
    op.create_table(
        "queue",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "post", "rank", "at", "moment", "alert_id", name=op.f("pk_queue")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_queue_alert_id"), "queue", ["alert_id"], unique=False)
    op.create_index(op.f("ix_queue_tenant_moment"), "queue", ["tenant", "moment"], unique=False)
    op.create_table(
        "records",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "id", name=op.f("pk_records")),
    )
    op.create_index(op.f("ix_records_tenant_version"), "records", ["tenant", "version"], unique=False)
    op.create_table(
        "room_links",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_room_links")),
    )
    op.create_index(op.f("ix_room_links_tenant_room"), "room_links", ["tenant", "room"], unique=False)
    op.create_table(
        "rulings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cued", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rulings")),
    )
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_tenant_login"), "sessions", ["tenant", "login"], unique=False)
    op.create_table(
        "storms",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_storms")),
    )
    op.create_index(op.f("ix_storms_tenant_began_at"), "storms", ["tenant", "began_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "login", name=op.f("pk_users")),
    )
    op.create_index(op.f("ix_users_login"), "users", ["login"], unique=False)
    op.add_column("alerts", sa.Column("unit", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("post", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    op.add_column("alerts", sa.Column("moment", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("alerts", sa.Column("claimed_by", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("outcome", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("held_by", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("due", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("review", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_alerts_claimed",
        "alerts",
        ["tenant", "claimed_by"],
        unique=False,
        sqlite_where=sa.text("claimed_by != ''"),
        postgresql_where=sa.text("claimed_by != ''"),
    )
    op.create_index(
        "ix_alerts_due",
        "alerts",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index(
        "ix_alerts_held_by",
        "alerts",
        ["tenant", "held_by"],
        unique=False,
        sqlite_where=sa.text("held_by != ''"),
        postgresql_where=sa.text("held_by != ''"),
    )
    op.create_index(
        "ix_alerts_live_room",
        "alerts",
        ["tenant", "room"],
        unique=False,
        sqlite_where=sa.text("state IN ('open', 'claimed', 'escalated', 'held')"),
        postgresql_where=sa.text("state IN ('open', 'claimed', 'escalated', 'held')"),
    )
    op.create_index(op.f("ix_alerts_tenant_moment"), "alerts", ["tenant", "moment"], unique=False)
    # Alerts from before: each a moment of its own; the open ones wait unrouted.
    op.execute("UPDATE alerts SET moment = id")
    op.execute(
        "INSERT INTO queue (tenant, post, rank, at, moment, alert_id) "
        "SELECT tenant, '', 0, at, id, id FROM alerts WHERE state = 'open'"
    )
