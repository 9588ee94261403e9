"""Meetings and recordings in the database."""

import time
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, String, delete, exists, false, select, update
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import Base, Database
from vmeet_core.meetings import Choices, Meeting
from vmeet_core.pipeline.store import JobRow

FINISHED = ("recorded", "uploaded")
DELETING = "deleting"


class MeetingRow(Base):
    """A meeting that can be joined by its link."""

    __tablename__ = "meetings"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    host_key: Mapped[str] = mapped_column(String(64))
    preset: Mapped[str] = mapped_column(String(64))
    choices: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at_s: Mapped[float] = mapped_column(Float)


class RecordingRow(Base):
    """A recording; ``state`` is recording, then recorded: what became of its processing is the pipeline's.

    A file that was uploaded has no meeting: its ``state`` is uploaded until its first job, with ``choices``, is queued;
    ``media`` is its path in the recording's folder, and ``filename`` what it was called. A recording that is deleting
    is gone for everybody, but for what is left of it. One that is ``kept`` is never deleted by itself.
    """

    __tablename__ = "recordings"
    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    meeting_id: Mapped[str | None] = mapped_column(ForeignKey("meetings.id"))
    title: Mapped[str] = mapped_column(String(200))
    started_at_s: Mapped[float] = mapped_column(Float, index=True)
    duration_s: Mapped[float | None] = mapped_column(Float)
    people: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str | None] = mapped_column(String(500))
    kept: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    media: Mapped[str | None] = mapped_column(String(64))
    filename: Mapped[str | None] = mapped_column(String(255))
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Store:
    """The only place that reads and writes these tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_meeting(self, meeting: Meeting) -> None:
        """Keep a new meeting."""
        row = MeetingRow(
            id=meeting.id,
            title=meeting.title,
            host_key=meeting.host_key,
            preset=meeting.preset,
            choices=meeting.choices.model_dump(mode="json", exclude_unset=True),
            created_at_s=time.time(),
        )
        async with self._database.session() as session, session.begin():
            session.add(row)

    async def meeting(self, meeting_id: str) -> Meeting | None:
        """A meeting as it was created, with nobody in it."""
        async with self._database.session() as session:
            row = await session.get(MeetingRow, meeting_id)
        if row is None:
            return None
        return Meeting(row.id, row.title, row.host_key, row.preset, Choices.model_validate(row.choices))

    async def add_recording(self, recording_id: str, meeting: Meeting, started_at_s: float) -> None:
        """A recording has begun."""
        row = RecordingRow(
            id=recording_id,
            meeting_id=meeting.id,
            title=meeting.title,
            started_at_s=started_at_s,
            people=[],
            state="recording",
        )
        async with self._database.session() as session, session.begin():
            session.add(row)

    async def finish_recording(self, recording_id: str, duration_s: float, people: list[str], note: str | None) -> None:
        """A recording has ended; ``note`` says why when nobody asked for it."""
        values = {"state": "recorded", "duration_s": duration_s, "people": people, "note": note}
        async with self._database.session() as session, session.begin():
            await session.execute(update(RecordingRow).where(RecordingRow.id == recording_id).values(**values))

    async def add_note(self, recording_id: str, note: str) -> None:
        """Something that whoever looks at the recording should know, after what is noted already."""
        async with self._database.session() as session, session.begin():
            row = await session.get(RecordingRow, recording_id)
            if row is not None:
                row.note = f"{row.note}; {note}" if row.note else note

    async def recordings(self, state: str | None = None) -> list[RecordingRow]:
        """Newest first; those that are being deleted only when asked for."""
        query = select(RecordingRow).order_by(RecordingRow.started_at_s.desc())
        query = query.where(RecordingRow.state != DELETING if state is None else RecordingRow.state == state)
        async with self._database.session() as session:
            return list((await session.scalars(query)).all())

    async def recording(self, recording_id: str) -> RecordingRow | None:
        """One recording; None, too, for one that is being deleted."""
        async with self._database.session() as session:
            row = await session.get(RecordingRow, recording_id)
        return None if row is not None and row.state == DELETING else row

    async def change_recording(self, recording_id: str, **values: Any) -> None:
        """Set columns; nothing happens to a recording that is being deleted."""
        query = update(RecordingRow).where(RecordingRow.id == recording_id, RecordingRow.state != DELETING)
        async with self._database.session() as session, session.begin():
            await session.execute(query.values(**values))

    async def with_active_jobs(self) -> set[str]:
        """Ids of the recordings that are being processed, or wait for it."""
        query = select(JobRow.recording_id).where(JobRow.state.in_(("queued", "running"))).distinct()
        async with self._database.session() as session:
            return set((await session.scalars(query)).all())

    async def begin_deletion(self, recording_id: str, only_if_spare: bool = False) -> bool:
        """From now on the recording is gone for everybody, and a start-up finishes what is not done by then.

        False, and nothing happens, while it is recorded, and with ``only_if_spare`` also when it is kept or processed.
        """
        query = update(RecordingRow).where(RecordingRow.id == recording_id, RecordingRow.state.in_(FINISHED))
        if only_if_spare:
            works = exists().where(JobRow.recording_id == recording_id, JobRow.state.in_(("queued", "running")))
            query = query.where(RecordingRow.kept == false(), RecordingRow.state == "recorded", ~works)
        async with self._database.session() as session, session.begin():
            done = await session.execute(query.values(state=DELETING).execution_options(synchronize_session=False))
            return bool(getattr(done, "rowcount", 0))

    async def delete_recording(self, recording_id: str) -> None:
        """Forget a recording; its files are the caller's to delete."""
        async with self._database.session() as session, session.begin():
            await session.execute(delete(RecordingRow).where(RecordingRow.id == recording_id))
