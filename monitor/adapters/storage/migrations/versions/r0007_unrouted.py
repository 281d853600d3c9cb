"""The queue tells what no route answers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue", sa.Column("unrouted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE queue SET unrouted = (1 = 1) WHERE post = ''")
