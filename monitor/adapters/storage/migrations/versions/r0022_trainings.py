"""Every process of a service tells how a training goes."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trainings",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_trainings")),
    )
