"""Jobs and steps in the database. A step is done when its row says so."""

import asyncio
import json
from pathlib import Path
from typing import cast

from sqlalchemy import BigInteger, ForeignKey, delete, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vmeet_core.database import Base, Database
from vmeet_core.pipeline.job import Job, Log, Step
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import Priority, ProcessRequest, State


class JobRow(Base):
    """A job; ``request`` is JSON."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    recording_id: Mapped[str] = mapped_column(index=True)
    folder: Mapped[str]
    request: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    created_at_s: Mapped[float]
    name: Mapped[str]
    priority: Mapped[str]
    queued_at_s: Mapped[float]
    moved_at_s: Mapped[float | None]
    steps: Mapped[list["StepRow"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="StepRow.position", lazy="selectin"
    )


class StepRow(Base):
    """A step of a job; ``spec``, ``outputs`` and ``log`` are JSON."""

    __tablename__ = "steps"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    spec: Mapped[str]
    state: Mapped[str]
    seconds: Mapped[float | None]
    error: Mapped[str | None]
    attempts: Mapped[int]
    not_before_s: Mapped[float]
    cpu_s: Mapped[float | None]
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    outputs: Mapped[str]
    log: Mapped[str]


class JobStore:
    """Reads and writes whole jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._saving = asyncio.Lock()

    async def save(self, job: Job) -> None:
        """The job with all its steps as they are now, in one transaction."""
        # One after the other, and looked at only then: an older state must never be written over a newer one.
        async with self._saving, self._database.session() as session, session.begin():
            await session.merge(_row(job))

    async def load(self, job_id: str) -> Job | None:
        async with self._database.session() as session:
            row = await session.get(JobRow, job_id)
            return _job(row) if row else None

    async def of_recording(self, recording_id: str) -> list[Job]:
        """In the order in which they were asked for."""
        chosen = select(JobRow).where(JobRow.recording_id == recording_id)
        async with self._database.session() as session:
            rows = await session.scalars(chosen.order_by(JobRow.created_at_s, JobRow.id))
            return [_job(row) for row in rows]

    async def unfinished(self) -> list[Job]:
        """Jobs that were queued or running when the server last wrote, the oldest first."""
        chosen = select(JobRow).where(JobRow.state.in_(("queued", "running")))
        async with self._database.session() as session:
            rows = await session.scalars(chosen.order_by(JobRow.created_at_s, JobRow.id))
            return [_job(row) for row in rows]

    async def done(self, recording_id: str, key: str) -> list[dict[str, str]]:
        """The outputs of every finished step of this key in this recording, the latest first."""
        chosen = (
            select(StepRow.outputs)
            .join(JobRow)
            .where(JobRow.recording_id == recording_id, StepRow.key == key, StepRow.state == "done")
        )
        async with self._database.session() as session:
            return [
                json.loads(outputs) for outputs in await session.scalars(chosen.order_by(JobRow.created_at_s.desc()))
            ]

    async def delete(self, recording_id: str) -> None:
        async with self._database.session() as session, session.begin():
            await session.execute(delete(JobRow).where(JobRow.recording_id == recording_id))


def _row(job: Job) -> JobRow:
    return JobRow(
        id=job.id,
        recording_id=job.recording_id,
        folder=str(job.folder),
        request=job.request.model_dump_json(),
        state=job.state,
        created_at_s=job.created_at_s,
        name=job.name,
        priority=job.priority,
        queued_at_s=job.queued_at_s,
        moved_at_s=job.moved_at_s,
        steps=[_step_row(job.id, position, step) for position, step in enumerate(job.steps)],
    )


def _step_row(job_id: str, position: int, step: Step) -> StepRow:
    return StepRow(
        job_id=job_id,
        position=position,
        key=step.key,
        spec=step.spec.model_dump_json(),
        state=step.state,
        seconds=step.seconds,
        error=step.error,
        attempts=step.attempts,
        not_before_s=step.not_before_s,
        cpu_s=step.cpu_s,
        peak_memory_bytes=step.peak_memory_bytes,
        outputs=json.dumps(step.outputs),
        log=json.dumps(step.log.tail()),
    )


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        recording_id=row.recording_id,
        folder=Path(row.folder),
        request=ProcessRequest.model_validate_json(row.request),
        created_at_s=row.created_at_s,
        steps=[_step(step) for step in row.steps],
        state=cast(State, row.state),
        name=row.name,
        priority=cast(Priority, row.priority),
        queued_at_s=row.queued_at_s,
        moved_at_s=row.moved_at_s,
    )


def _step(row: StepRow) -> Step:
    return Step(
        spec=StepSpec.model_validate_json(row.spec),
        key=row.key,
        state=cast(State, row.state),
        progress=1.0 if row.state == "done" else 0.0,
        seconds=row.seconds,
        error=row.error,
        log=Log(json.loads(row.log)),
        outputs=json.loads(row.outputs),
        attempts=row.attempts,
        not_before_s=row.not_before_s,
        cpu_s=row.cpu_s,
        peak_memory_bytes=row.peak_memory_bytes,
    )
