"""Recordings that were uploaded, those that are kept, and uploads that are not finished."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    with op.batch_alter_table("recordings") as recordings:
        recordings.alter_column("meeting_id", existing_type=sa.String(32), nullable=True)
        recordings.add_column(sa.Column("kept", sa.Boolean, nullable=False, server_default=sa.false()))
        recordings.add_column(sa.Column("media", sa.String(64)))
        recordings.add_column(sa.Column("filename", sa.String(255)))
        recordings.add_column(sa.Column("choices", sa.JSON))
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("length_bytes", sa.BigInteger, nullable=False),
        sa.Column("modified_ms", sa.BigInteger),
        sa.Column("metadata_text", sa.String(4096), nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("created_at_s", sa.Float, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    )
