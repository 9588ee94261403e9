"""Jobs that have ended as they are shown, so that a list need not read their steps."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Jobs of before are read from their steps until they are written again."""
    op.add_column("jobs", sa.Column("shown", sa.String, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("shown_logs", sa.String, nullable=False, server_default=""))
