"""Updates are numbered by tenant. Those that are there keep their numbers, so that clients resume."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE outbox_before AS SELECT alerts.tenant, outbox.seq, outbox.what, outbox.alert_id"
        " FROM outbox JOIN alerts ON alerts.id = outbox.alert_id")
    op.drop_table("outbox")
    op.create_table(
        "outbox",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", name=op.f("pk_outbox")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO outbox (tenant, seq, what, alert_id) SELECT tenant, seq, what, alert_id FROM outbox_before")
    op.drop_table("outbox_before")
