"""Cues go by their time, so they are found by it."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_cues_tenant_at"), "cues", ["tenant", "at"], unique=False)
