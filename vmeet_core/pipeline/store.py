"""Jobs and steps in the database. A step is done when its row says so."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, delete, event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from vmeet_core.database import PATIENCE_S, Base, Database
from vmeet_core.pipeline.job import Job, Log, Step
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import JobView, Priority, ProcessRequest, State

AT_ONCE = 100  #: rows of one statement: whoever carries media on the same event loop waits for them
T = TypeVar("T")
Outputs = dict[str, str]  #: role → path relative to the recording's folder


class JobRow(Base):
    """A job; ``request`` is JSON. ``shown`` is the view of one that has ended, without the logs of its steps, which are
    ``shown_logs`` by the name that is shown; "" for others.
    """

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
    shown: Mapped[str] = mapped_column(default="", server_default="")
    shown_logs: Mapped[str] = mapped_column(default="", server_default="", deferred=True)
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


class _Stamp(NamedTuple):
    """What a row of a step is made of; equal ones make equal rows."""

    key: str
    spec: StepSpec
    state: State
    seconds: float | None
    error: str | None
    attempts: int
    not_before_s: float
    cpu_s: float | None
    peak_memory_bytes: int | None
    outputs: Outputs
    log: tuple[int, int]  #: which one, and how many lines it got

    @classmethod
    def of(cls, step: Step) -> "_Stamp":
        return cls(
            step.key,
            step.spec,
            step.state,
            step.seconds,
            step.error,
            step.attempts,
            step.not_before_s,
            step.cpu_s,
            step.peak_memory_bytes,
            dict(step.outputs),
            (id(step.log), step.log.added),
        )


class _State(NamedTuple):
    """What is written of a step, made into text only piece by piece; it stays as it was at one moment."""

    position: int
    stamp: _Stamp
    log: list[str]

    def row(self, job_id: str) -> dict[str, Any]:
        spec = {"key": self.stamp.key, "spec": self.stamp.spec.model_dump_json()}
        return self.values(job_id) | spec

    def values(self, job_id: str) -> dict[str, Any]:
        stamp = self.stamp
        return {
            "job_id": job_id,
            "position": self.position,
            "state": stamp.state,
            "seconds": stamp.seconds,
            "error": stamp.error,
            "attempts": stamp.attempts,
            "not_before_s": stamp.not_before_s,
            "cpu_s": stamp.cpu_s,
            "peak_memory_bytes": stamp.peak_memory_bytes,
            "outputs": json.dumps(stamp.outputs),
            "log": json.dumps(self.log),
        }


@dataclass
class _Changes:
    """What the database has to be told of the steps of a job."""

    replaced: list["_State"]  #: whole rows
    changed: list["_State"]  #: what may change of a step
    gone: list[int]  #: positions, those of ``replaced`` too; all are when nobody knows what is there
    all_gone: bool

    @classmethod
    def of(cls, job: Job, stamps: list[_Stamp], written: list[_Stamp] | None) -> "_Changes":
        changes = cls([], [], [], written is None)
        known = written or []
        for position, (step, stamp) in enumerate(zip(job.steps, stamps, strict=True)):
            before = known[position] if position < len(known) else None
            if before == stamp:
                continue
            if before is not None and (before.key, before.spec) == (stamp.key, stamp.spec):
                changes.changed.append(_State(position, stamp, step.log.tail()))
            else:
                changes.replaced.append(_State(position, stamp, step.log.tail()))
                changes.gone.append(position)
        changes.gone += range(len(stamps), len(known))
        return changes

    async def write(self, session: AsyncSession, job_id: str) -> None:
        theirs = StepRow.job_id == job_id
        if self.all_gone:
            await session.execute(delete(StepRow).where(theirs))
        else:
            for positions in _some(self.gone):
                await session.execute(delete(StepRow).where(theirs, StepRow.position.in_(positions)))
        for some in _some(self.replaced):
            await session.execute(insert(StepRow), [each.row(job_id) for each in some])
        for some in _some(self.changed):
            await session.execute(update(StepRow), [each.values(job_id) for each in some])


class JobStore:
    """Reads and writes whole jobs. Everything raises DatabaseUnavailable after ``patience_s``.

    Of a job that goes on it knows what it wrote last, and writes what is new: no other may write the same jobs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: dict[str, list[_Stamp]] = {}

    async def save(self, job: Job, patience_s: float = PATIENCE_S) -> None:
        """The job with all its steps as they are now, in one transaction."""

        async def work(session: AsyncSession) -> None:
            # Looked at only now, when it is this one's turn: an older state must never be written over a newer one.
            stamps = [_Stamp.of(step) for step in job.steps]
            # Forgotten until it is committed: after a failure nobody knows what is there.
            changes = _Changes.of(job, stamps, self._written.pop(job.id, None))
            values, goes_on = _job_values(job), job.is_active
            theirs = update(JobRow).where(JobRow.id == job.id)
            if await session.scalar(theirs.values(**values).returning(JobRow.id)) is None:
                await session.execute(insert(JobRow).values(id=job.id, **values))
            await changes.write(session, job.id)
            if goes_on:
                _when_committed(session, lambda: self._written.update({job.id: stamps}))

        await self._database.write(work, patience_s)

    async def rename(self, job_id: str, name: str) -> JobView | None:
        """The job with its new name; None when there is none. For one that does not go on: others are saved."""

        async def work(session: AsyncSession) -> str | None:
            chosen = update(JobRow).where(JobRow.id == job_id).values(name=name).returning(JobRow.recording_id)
            return await session.scalar(chosen)

        recording_id = await self._database.write(work)
        if recording_id is None:
            return None
        views = await self.views([recording_id], logs=True, active=lambda _: None)
        return next((view for view in views.get(recording_id, []) if view.id == job_id), None)

    async def load(self, job_id: str) -> Job | None:
        async def work(session: AsyncSession) -> Job | None:
            row = await session.get(JobRow, job_id)
            return _job(row) if row else None

        return await self._database.read(work)

    async def of_recording(self, recording_id: str) -> list[Job]:
        """In the order in which they were asked for."""
        return await self._jobs(JobRow.recording_id == recording_id)

    async def views(
        self, recording_ids: Sequence[str], logs: bool, active: Callable[[str], JobView | None]
    ) -> dict[str, list[JobView]]:
        """Of each recording its jobs in the order in which they were asked for; recordings without any are left out.

        Those that are not ``active`` are read; ``logs``: with the logs of their steps, most of what there is to read.
        """
        chosen = select(
            JobRow.id, JobRow.recording_id, JobRow.name, JobRow.shown, JobRow.shown_logs if logs else JobRow.shown
        )

        async def work(session: AsyncSession) -> list[tuple[str, str, str, str, str]]:
            found = await session.execute(
                chosen.where(JobRow.recording_id.in_(recording_ids)).order_by(JobRow.created_at_s, JobRow.id)
            )
            return [cast("tuple[str, str, str, str, str]", tuple(row)) for row in found]

        rows = await self._database.read(work)
        known = {job_id: view for job_id, *_ in rows if (view := active(job_id)) is not None}
        # Of a time when they were not written, or of a server that was killed.
        whole = [job_id for job_id, _, _, shown, _ in rows if not shown and job_id not in known]
        if whole:
            known |= {job.id: job.view() for job in await self._jobs(JobRow.id.in_(whole), logs)}
        views: dict[str, list[JobView]] = {}
        for job_id, recording_id, name, shown, shown_logs in rows:
            if job_id not in known and shown:
                known[job_id] = _view(name, shown, shown_logs if logs else "")
            if job_id in known:
                views.setdefault(recording_id, []).append(known[job_id])
        return views

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

    async def done(
        self, recording_id: str, keys: Iterable[str], patience_s: float = PATIENCE_S
    ) -> dict[str, list[Outputs]]:
        """By key the outputs of every finished step of these keys in this recording, the latest first."""
        chosen = (
            select(StepRow.key, StepRow.outputs)
            .join(JobRow)
            .where(JobRow.recording_id == recording_id, StepRow.state == "done")
            .order_by(JobRow.created_at_s.desc())
        )

        async def work(session: AsyncSession) -> dict[str, list[Outputs]]:
            found: dict[str, list[Outputs]] = {}
            for some in _some(keys):
                for key, outputs in await session.execute(chosen.where(StepRow.key.in_(some))):
                    found.setdefault(key, []).append(json.loads(outputs))
            return found

        return await self._database.read(work, patience_s)

    async def files(self, recording_id: str, patience_s: float = PATIENCE_S) -> set[str]:
        """All paths that some step of a job of the recording has made."""
        chosen = select(StepRow.outputs).join(JobRow).where(JobRow.recording_id == recording_id)

        async def work(session: AsyncSession) -> set[str]:
            return {path for each in await session.scalars(chosen) for path in json.loads(each).values()}

        return await self._database.read(work, patience_s)

    async def delete(self, recording_id: str) -> None:
        async def work(session: AsyncSession) -> None:
            chosen = delete(JobRow).where(JobRow.recording_id == recording_id).returning(JobRow.id)
            for job_id in await session.scalars(chosen):
                self._written.pop(job_id, None)

        await self._database.write(work)


def _some(values: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _when_committed(session: AsyncSession, action: Callable[[], None]) -> None:
    """Before anybody else has a turn."""

    def committed(_: Session) -> None:
        action()

    event.listen(session.sync_session, "after_commit", committed, once=True)


def _job_values(job: Job) -> dict[str, Any]:
    shown, logs = ("", "") if job.is_active else _shown(job.view())
    return {
        "recording_id": job.recording_id,
        "folder": str(job.folder),
        "request": job.request.model_dump_json(),
        "state": job.state,
        "created_at_s": job.created_at_s,
        "name": job.name,
        "priority": job.priority,
        "queued_at_s": job.queued_at_s,
        "moved_at_s": job.moved_at_s,
        "shown": shown,
        "shown_logs": logs,
    }


def _shown(view: JobView) -> tuple[str, str]:
    logs = {step.name: step.log_tail for step in view.steps if step.log_tail}
    bare = view.model_copy(update={"steps": [step.model_copy(update={"log_tail": []}) for step in view.steps]})
    return bare.model_dump_json(), json.dumps(logs)


def _view(name: str, shown: str, logs: str) -> JobView:
    """``name`` may have changed since."""
    view = JobView.model_validate_json(shown)
    tails = json.loads(logs) if logs else {}
    steps = [step.model_copy(update={"log_tail": tails.get(step.name, [])}) for step in view.steps]
    return view.model_copy(update={"name": name, "steps": steps})


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
