"""The tables as they were before there were migrations: what is there already is taken over as it is."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    there = set(sa.inspect(op.get_bind()).get_table_names())
    for name, make in (("meetings", meetings), ("recordings", recordings), ("jobs", jobs), ("steps", steps)):
        if name not in there:
            make()


def meetings() -> None:
    op.create_table(
        "meetings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("host_key", sa.String(64), nullable=False),
        sa.Column("preset", sa.String(64), nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("created_at_s", sa.Float, nullable=False),
    )


def recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(48), primary_key=True),
        sa.Column("meeting_id", sa.String(32), sa.ForeignKey("meetings.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("started_at_s", sa.Float, nullable=False),
        sa.Column("duration_s", sa.Float),
        sa.Column("people", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.String(500)),
    )
    op.create_index("ix_recordings_started_at_s", "recordings", ["started_at_s"])


def jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("recording_id", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("request", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
    )
    op.create_index("ix_jobs_recording_id", "jobs", ["recording_id"])
    op.create_index("ix_jobs_state", "jobs", ["state"])


def steps() -> None:
    op.create_table(
        "steps",
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("spec", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("error", sa.String),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outputs", sa.String, nullable=False),
        sa.Column("log", sa.String, nullable=False),
    )
    op.create_index("ix_steps_key", "steps", ["key"])
