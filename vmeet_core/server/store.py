"""Meetings and recordings in the database."""

import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import JSON, Boolean, Float, ForeignKey, String, Text, delete, false, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import PATIENCE_S, Base, Database
from vmeet_core.meetings import Choices, Meeting
from vmeet_core.pipeline.store import JobRow
from vmeet_core.search import (
    NAMES,
    TRANSCRIPT,
    BlockRow,
    Hit,
    Phrase,
    Term,
    forget_texts,
    hits,
    ranks,
    set_names,
    set_transcript,
)

FINISHED = ("recorded", "uploaded")
DELETING = "deleting"
LEFT_OUT = "left_out_of_recordings"


class MeetingRow(Base):
    """A meeting that can be joined by its link. ``choices`` holds, beside the meeting's own, whom its host left out."""

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
    note: Mapped[str | None] = mapped_column(Text)
    kept: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    media: Mapped[str | None] = mapped_column(String(64))
    filename: Mapped[str | None] = mapped_column(String(255))
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Page(NamedTuple):
    """A part of a list: ``rows`` from ``offset`` on, and how many there are in all; ``hits`` by recording."""

    rows: list[RecordingRow]
    total: int
    hits: dict[str, list[Hit]]


class Store:
    """The only place that reads and writes these tables. Everything raises DatabaseUnavailable after ``patience_s``.

    What is written bears being written again: the answer to a commit may have been lost.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_meeting(self, meeting: Meeting) -> None:
        """Keep a new meeting."""
        choices = meeting.choices.model_dump(mode="json", exclude_unset=True)
        created_at_s = time.time()

        async def work(session: AsyncSession) -> None:
            row = MeetingRow(
                id=meeting.id,
                title=meeting.title,
                host_key=meeting.host_key,
                preset=meeting.preset,
                choices=choices,
                created_at_s=created_at_s,
            )
            await session.merge(row)

        await self._database.write(work)

    async def meeting(self, meeting_id: str) -> Meeting | None:
        """A meeting as it was created, with nobody in it."""

        async def work(session: AsyncSession) -> MeetingRow | None:
            return await session.get(MeetingRow, meeting_id)

        row = await self._database.read(work)
        if row is None:
            return None
        chosen = {key: value for key, value in row.choices.items() if key != LEFT_OUT}
        meeting = Meeting(row.id, row.title, row.host_key, row.preset, Choices.model_validate(chosen))
        meeting.kept_out_before = tuple(row.choices.get(LEFT_OUT, ()))
        return meeting

    async def keep_left_out(self, meeting: Meeting, patience_s: float = PATIENCE_S) -> None:
        """Whom the host has left out, as it is when it is written: what was said last holds."""

        async def work(session: AsyncSession) -> None:
            row = await session.get(MeetingRow, meeting.id, with_for_update=True)
            if row is not None:
                others = {key: value for key, value in row.choices.items() if key != LEFT_OUT}
                row.choices = {**others, LEFT_OUT: list(meeting.kept_out())}

        await self._database.write(work, patience_s)

    async def add_recording(
        self, recording_id: str, meeting: Meeting, started_at_s: float, patience_s: float = PATIENCE_S
    ) -> None:
        """A recording has begun."""

        async def work(session: AsyncSession) -> None:
            row = RecordingRow(
                id=recording_id,
                meeting_id=meeting.id,
                title=meeting.title,
                started_at_s=started_at_s,
                people=[],
                state="recording",
            )
            await session.merge(row)
            await session.flush()
            await set_names(session, recording_id, meeting.title, [])

        await self._database.write(work, patience_s)

    async def finish_recording(
        self,
        recording_id: str,
        duration_s: float,
        people: list[str],
        note: str | None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """A recording has ended; ``note`` says why when nobody asked for it."""

        async def work(session: AsyncSession) -> None:
            row = await session.get(RecordingRow, recording_id)
            if row is not None:
                row.state, row.duration_s, row.people, row.note = "recorded", duration_s, people, note
                await set_names(session, recording_id, row.title, people)

        await self._database.write(work, patience_s)

    async def add_note(self, recording_id: str, note: str, patience_s: float = PATIENCE_S) -> None:
        """Something that whoever looks at the recording should know, after what is noted already."""

        async def work(session: AsyncSession) -> None:
            row = await session.get(RecordingRow, recording_id)
            if row is not None and note not in (row.note or "").split("; "):
                row.note = f"{row.note}; {note}" if row.note else note

        await self._database.write(work, patience_s)

    async def set_transcript(self, recording_id: str, source: str, phrases: Sequence[Phrase]) -> None:
        """What was said, to be found; ``source`` is the job that wrote it down. Transcripts of other jobs stay."""

        async def work(session: AsyncSession) -> None:
            if await session.get(RecordingRow, recording_id) is not None:
                await set_transcript(session, recording_id, source, phrases)

        await self._database.write(work)

    async def index_names(self) -> None:
        """Make recordings of a time before there was an index findable by title and people."""

        async def work(session: AsyncSession) -> None:
            known = select(BlockRow.recording_id).where(BlockRow.kind == NAMES)
            for row in (await session.scalars(select(RecordingRow).where(RecordingRow.id.not_in(known)))).all():
                await set_names(session, row.id, row.title, row.people)

        await self._database.write(work)

    async def recordings(self, state: str | None = None) -> list[RecordingRow]:
        """All of them, newest first; those that are being deleted only when asked for."""
        query = select(RecordingRow).order_by(*_NEWEST)
        query = query.where(RecordingRow.state != DELETING if state is None else RecordingRow.state == state)

        async def work(session: AsyncSession) -> list[RecordingRow]:
            return list((await session.scalars(query)).all())

        return await self._database.read(work)

    async def page(self, limit: int, offset: int) -> Page:
        """Some of all recordings, newest first."""

        async def work(session: AsyncSession) -> Page:
            shown = select(RecordingRow).where(_IS_THERE).order_by(*_NEWEST)
            rows = await session.scalars(shown.limit(limit).offset(offset))
            total = await session.scalar(select(func.count()).select_from(RecordingRow).where(_IS_THERE))
            return Page(list(rows.all()), total or 0, {})

        return await self._database.read(work)

    async def search(self, terms: Sequence[Term], limit: int, offset: int) -> Page:
        """Recordings in which all terms occur: first those whose title and people have them, then those where they
        are said close together, then the others; of each kind the newest first.
        """

        async def work(session: AsyncSession) -> Page:
            rank = await ranks(session, terms)
            newest = select(RecordingRow.id).where(_IS_THERE).order_by(*_NEWEST)
            found = [each for each in await session.scalars(newest) if each in rank] if rank else []
            ids = sorted(found, key=rank.__getitem__)[offset : offset + limit]  # a stable sort: newest first stays
            rows = {row.id: row for row in await session.scalars(select(RecordingRow).where(RecordingRow.id.in_(ids)))}
            return Page([rows[each] for each in ids], len(found), await hits(session, terms, ids))

        return await self._database.read(work)

    async def recording(self, recording_id: str) -> RecordingRow | None:
        """One recording; None, too, for one that is being deleted."""

        async def work(session: AsyncSession) -> RecordingRow | None:
            row = await session.get(RecordingRow, recording_id)
            return None if row is not None and row.state == DELETING else row

        return await self._database.read(work)

    async def change_recording(self, recording_id: str, **values: Any) -> None:
        """Set columns; nothing happens to a recording that is being deleted."""
        query = update(RecordingRow).where(RecordingRow.id == recording_id, RecordingRow.state != DELETING)

        async def work(session: AsyncSession) -> None:
            await session.execute(query.values(**values))

        await self._database.write(work)

    async def with_active_jobs(self) -> set[str]:
        """Ids of the recordings that are being processed, or wait for it."""

        async def work(session: AsyncSession) -> set[str]:
            return set((await session.scalars(select(JobRow.recording_id).where(_IS_ACTIVE).distinct())).all())

        return await self._database.read(work)

    async def without_jobs(self) -> list[RecordingRow]:
        """Recordings that have ended, and of which no job knows."""
        known = select(JobRow.id).where(JobRow.recording_id == RecordingRow.id)
        query = select(RecordingRow).where(RecordingRow.state == "recorded", ~known.exists()).order_by(*_NEWEST)

        async def work(session: AsyncSession) -> list[RecordingRow]:
            return list((await session.scalars(query)).all())

        return await self._database.read(work)

    async def without_transcripts(self, result: str) -> list[tuple[str, str, str]]:
        """(recording, job, path) of what ended jobs have as ``result``, and no search would find."""
        known = select(BlockRow.id).where(BlockRow.kind == TRANSCRIPT, BlockRow.source == JobRow.id)
        ended = select(JobRow.recording_id, JobRow.id, JobRow.shown).where(
            JobRow.shown.contains(f'"{result}":', autoescape=True), ~known.exists()
        )

        async def work(session: AsyncSession) -> list[tuple[str, str, str]]:
            found = [(*row[:2], json.loads(row[2])["results"]) for row in await session.execute(ended)]
            return [(recording, job, results[result]) for recording, job, results in found if result in results]

        return await self._database.read(work)

    async def begin_deletion(self, recording_id: str, only_if_spare: bool = False) -> bool:
        """From now on the recording is gone for everybody, and a start-up finishes what is not done by then.

        False, and nothing happens, while it is recorded, and with ``only_if_spare`` also when it is kept or processed.
        """

        async def work(session: AsyncSession) -> bool:
            row = await session.get(RecordingRow, recording_id, with_for_update=True)
            if row is None or row.state not in (*FINISHED, DELETING):
                return False
            if only_if_spare and row.state != DELETING:
                works = select(JobRow.id).where(JobRow.recording_id == recording_id, _IS_ACTIVE).limit(1)
                if row.kept or row.state != "recorded" or await session.scalar(works) is not None:
                    return False
            row.state = DELETING
            return True

        return await self._database.write(work)

    async def delete_recording(self, recording_id: str) -> None:
        """Forget a recording and its texts; its files are the caller's to delete."""

        async def work(session: AsyncSession) -> None:
            await forget_texts(session, recording_id)
            await session.execute(delete(RecordingRow).where(RecordingRow.id == recording_id))

        await self._database.write(work)


_NEWEST = (RecordingRow.started_at_s.desc(), RecordingRow.id)
_IS_THERE = RecordingRow.state != DELETING
_IS_ACTIVE = JobRow.state.in_(("queued", "running"))
