"""Which job comes first, what its results are called, and what its steps took."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Jobs of before count as ones that waited since they were asked for."""
    op.add_column("jobs", sa.Column("name", sa.String, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("priority", sa.String, nullable=False, server_default="fresh"))
    op.add_column("jobs", sa.Column("queued_at_s", sa.Double, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("moved_at_s", sa.Double))
    op.execute("UPDATE jobs SET queued_at_s = created_at_s")
    op.add_column("steps", sa.Column("not_before_s", sa.Double, nullable=False, server_default="0"))
    op.add_column("steps", sa.Column("cpu_s", sa.Double))
    op.add_column("steps", sa.Column("peak_memory_bytes", sa.BigInteger))
