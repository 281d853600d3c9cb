"""Events that fell in the window of a finding after it held."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("alerts", "findings"):
        op.add_column(table, sa.Column("joined", sa.Integer(), server_default="0", nullable=False))
