"""Jobs and steps in the database. A step is done when its row says so."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from vmeet_core.database import PATIENCE_S, Base, Database
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
    """Reads and writes whole jobs. Everything raises DatabaseUnavailable after ``patience_s``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, job: Job, patience_s: float = PATIENCE_S) -> None:
        """The job with all its steps as they are now, in one transaction."""

        async def work(session: AsyncSession) -> None:
            # Looked at only now, when it is this one's turn: an older state must never be written over a newer one.
            await session.merge(_row(job))

        await self._database.write(work, patience_s)

    async def load(self, job_id: str) -> Job | None:
        async def work(session: AsyncSession) -> Job | None:
            row = await session.get(JobRow, job_id)
            return _job(row) if row else None

        return await self._database.read(work)

    async def of_recording(self, recording_id: str) -> list[Job]:
        """In the order in which they were asked for."""
        return await self._jobs(JobRow.recording_id == recording_id)

    async def of_recordings(self, recording_ids: Sequence[str]) -> dict[str, list[Job]]:
        """Of each in the order in which they were asked for, the logs of their steps empty: most of what there is to
        read of a long recording. Recordings without any are left out.
        """
        found: dict[str, list[Job]] = {}
        for job in await self._jobs(JobRow.recording_id.in_(recording_ids), logs=False):
            found.setdefault(job.recording_id, []).append(job)
        return found

    async def unfinished(self) -> list[Job]:
        """Jobs that were queued or running when the server last wrote, the oldest first."""
        return await self._jobs(JobRow.state.in_(("queued", "running")))

    async def _jobs(self, condition: ColumnElement[bool], logs: bool = True) -> list[Job]:
        async def work(session: AsyncSession) -> list[Job]:
            chosen = select(JobRow).where(condition).order_by(JobRow.created_at_s, JobRow.id)
            if not logs:
                chosen = chosen.options(selectinload(JobRow.steps).defer(StepRow.log))
            return [_job(row, logs) for row in await session.scalars(chosen)]

        return await self._database.read(work)

    async def done(self, recording_id: str, key: str, patience_s: float = PATIENCE_S) -> list[dict[str, str]]:
        """The outputs of every finished step of this key in this recording, the latest first."""
        chosen = (
            select(StepRow.outputs)
            .join(JobRow)
            .where(JobRow.recording_id == recording_id, StepRow.key == key, StepRow.state == "done")
            .order_by(JobRow.created_at_s.desc())
        )

        async def work(session: AsyncSession) -> list[dict[str, str]]:
            return [json.loads(outputs) for outputs in await session.scalars(chosen)]

        return await self._database.read(work, patience_s)

    async def delete(self, recording_id: str) -> None:
        async def work(session: AsyncSession) -> None:
            await session.execute(delete(JobRow).where(JobRow.recording_id == recording_id))

        await self._database.write(work)


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


def _job(row: JobRow, logs: bool = True) -> Job:
    return Job(
        id=row.id,
        recording_id=row.recording_id,
        folder=Path(row.folder),
        request=ProcessRequest.model_validate_json(row.request),
        created_at_s=row.created_at_s,
        steps=[_step(step, logs) for step in row.steps],
        state=cast(State, row.state),
        name=row.name,
        priority=cast(Priority, row.priority),
        queued_at_s=row.queued_at_s,
        moved_at_s=row.moved_at_s,
    )


def _step(row: StepRow, logs: bool = True) -> Step:
    return Step(
        spec=StepSpec.model_validate_json(row.spec),
        key=row.key,
        state=cast(State, row.state),
        progress=1.0 if row.state == "done" else 0.0,
        seconds=row.seconds,
        error=row.error,
        log=Log(json.loads(row.log) if logs else []),
        outputs=json.loads(row.outputs),
        attempts=row.attempts,
        not_before_s=row.not_before_s,
        cpu_s=row.cpu_s,
        peak_memory_bytes=row.peak_memory_bytes,
    )
