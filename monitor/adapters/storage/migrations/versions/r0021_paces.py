"""How fast a rule's alerts come is counted for all processes; of one rule of a tenant one storm rages at most.

Storms that stand end with this: each process counted for itself, so there may be several of one rule.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("storm", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "rule", name=op.f("pk_paces")),
    )
    op.execute(
        "UPDATE storms SET ended_at = COALESCE((SELECT max(alerts.at) FROM alerts WHERE alerts.tenant = storms.tenant "
        "AND alerts.held_by = storms.id AND alerts.state = 'held'), began_at) WHERE ended_at IS NULL")
    op.drop_index("ix_storms_standing", "storms")
    op.create_index(
        "ix_storms_standing", "storms", ["tenant", "rule"], unique=True,
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))
