"""Meetings and recordings in the database."""

import time
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import Base, Database
from vmeet_core.meetings import Choices, Meeting


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
    """A recording; ``state`` is recording, then recorded: what became of its processing is the pipeline's."""

    __tablename__ = "recordings"
    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id"))
    title: Mapped[str] = mapped_column(String(200))
    started_at_s: Mapped[float] = mapped_column(Float, index=True)
    duration_s: Mapped[float | None] = mapped_column(Float)
    people: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str | None] = mapped_column(String(500))


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
        """Newest first."""
        query = select(RecordingRow).order_by(RecordingRow.started_at_s.desc())
        if state is not None:
            query = query.where(RecordingRow.state == state)
        async with self._database.session() as session:
            return list((await session.scalars(query)).all())

    async def recording(self, recording_id: str) -> RecordingRow | None:
        """One recording."""
        async with self._database.session() as session:
            return await session.get(RecordingRow, recording_id)

    async def delete_recording(self, recording_id: str) -> None:
        """Forget a recording; its files are the caller's to delete."""
        async with self._database.session() as session, session.begin():
            await session.execute(delete(RecordingRow).where(RecordingRow.id == recording_id))
