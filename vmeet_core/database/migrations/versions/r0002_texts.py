"""Texts that can be searched, and notes of any length (PostgreSQL would refuse what is longer than was foreseen)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision, down_revision = "0002", "0001"

#: One row of grams for a block; its rowid is the block's. The tokenizer leaves what is beyond ASCII as it is.
SQLITE_GRAMS = (
    "CREATE VIRTUAL TABLE text_grams USING fts5(grams, content='', detail=none, prefix='1', tokenize='ascii')"
)


def upgrade() -> None:
    with op.batch_alter_table("recordings") as recordings:
        recordings.alter_column("note", existing_type=sa.String(500), type_=sa.Text)
    op.create_table(
        "text_blocks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recording_id", sa.String(48), sa.ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
    )
    op.create_index("ix_text_blocks_recording_id", "text_blocks", ["recording_id"])
    op.create_table(
        "texts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("block_id", sa.Integer, sa.ForeignKey("text_blocks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("participant", sa.Text),
        sa.Column("start_s", sa.Double),
        sa.Column("end_s", sa.Double),
        sa.Column("language", sa.String(35)),
    )
    op.create_index("ix_texts_block_id", "texts", ["block_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SQLITE_GRAMS)
        return
    op.create_table(
        "text_grams",
        sa.Column("block_id", sa.Integer, sa.ForeignKey("text_blocks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("grams", TSVECTOR, nullable=False),
    )
    # Without a list of what is not in the index yet, which every search would have to read as well.
    options = {"fastupdate": "off"}
    op.create_index("ix_text_grams_grams", "text_grams", ["grams"], postgresql_using="gin", postgresql_with=options)
