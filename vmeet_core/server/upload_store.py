"""Uploads that are not finished, in the database."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, String, delete, false, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import Base, Database
from vmeet_core.search import set_names
from vmeet_core.server.store import RecordingRow


class UploadRow(Base):
    """A file that is being uploaded; how much of it has come is the length of the file.

    ``modified_ms`` is when the file was last changed, as the browser tells: name, size and it say whether a file is the
    same. ``choices`` are those of the first job. One that is ``cancelled`` is gone, but for what is left of it.
    """

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    filename: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(200))
    length_bytes: Mapped[int] = mapped_column(BigInteger)
    modified_ms: Mapped[int | None] = mapped_column(BigInteger)
    metadata_text: Mapped[str] = mapped_column(String(4096))
    choices: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at_s: Mapped[float] = mapped_column(Float)
    cancelled: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class UploadStore:
    """The only place that reads and writes this table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: UploadRow) -> None:
        async def work(session: AsyncSession) -> None:
            await session.merge(row)

        await self._database.write(work)

    async def all(self, cancelled: bool = False) -> list[UploadRow]:
        """The oldest first."""
        query = select(UploadRow).where(UploadRow.cancelled == cancelled).order_by(UploadRow.created_at_s)

        async def work(session: AsyncSession) -> list[UploadRow]:
            return list((await session.scalars(query)).all())

        return await self._database.read(work)

    async def get(self, upload_id: str) -> UploadRow | None:
        """None, too, for one that was cancelled."""

        async def work(session: AsyncSession) -> UploadRow | None:
            row = await session.get(UploadRow, upload_id)
            return None if row is None or row.cancelled else row

        return await self._database.read(work)

    async def cancel(self, upload_id: str) -> bool:
        """From now on it is gone for everybody. False where there is none: it may have become a recording."""
        query = update(UploadRow).where(UploadRow.id == upload_id).values(cancelled=True)

        async def work(session: AsyncSession) -> bool:
            return bool(getattr(await session.execute(query), "rowcount", 0))

        return await self._database.write(work)

    async def forget(self, upload_id: str) -> None:
        """When its files are gone."""

        async def work(session: AsyncSession) -> None:
            await session.execute(delete(UploadRow).where(UploadRow.id == upload_id))

        await self._database.write(work)

    async def adopt(self, upload: UploadRow, media: str, now_s: float, duration_s: float | None) -> None:
        """The upload becomes a recording, in one transaction: it is one or the other at any moment."""

        async def work(session: AsyncSession) -> None:
            row = RecordingRow(
                id=upload.id,
                meeting_id=None,
                title=upload.title,
                started_at_s=now_s,
                duration_s=duration_s,
                people=[],
                state="uploaded",
                media=media,
                filename=upload.filename,
                choices=upload.choices,
            )
            await session.execute(delete(UploadRow).where(UploadRow.id == upload.id))
            await session.merge(row)
            await session.flush()
            await set_names(session, upload.id, upload.title, [])

        await self._database.write(work)
