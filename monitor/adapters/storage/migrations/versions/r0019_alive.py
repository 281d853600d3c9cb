"""A dry run is seen, and stopped, from every process of a service."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dry_runs", sa.Column("alive_at", sa.BigInteger(), nullable=True))
