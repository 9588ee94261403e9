"""Tests of the database on a real file."""

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import Base, Database


class _Parent(Base):
    __tablename__ = "test_parents"
    id: Mapped[int] = mapped_column(primary_key=True)


class _Child(Base):
    __tablename__ = "test_children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("test_parents.id"))


async def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vmeet.sqlite3"
    database = await Database.open(path)
    async with database.session() as session, session.begin():
        session.add(_Parent(id=7))
    await database.close()
    database = await Database.open(path)
    async with database.session() as session:
        assert await session.get(_Parent, 7) is not None
    await database.close()
    await database.close()


async def test_every_connection_writes_ahead_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "vmeet.sqlite3")
    async with database.session() as first, database.session() as second:
        for session in (first, second):
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert await session.scalar(text("PRAGMA busy_timeout")) == 5000
    async with database.session() as session:
        session.add(_Child(id=1, parent_id=99))
        with pytest.raises(IntegrityError):
            await session.commit()
    await database.close()


async def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="unable to open database file"):
        await Database.open(tmp_path)


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.003, 0.02])
async def test_cancelled_queries_leave_no_thread_behind(tmp_path: Path, after_s: float) -> None:
    """Whether they have connected by then or not."""
    database = await Database.open(tmp_path / "vmeet.sqlite3")
    before = set(threading.enumerate())
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT sum(i) FROM n"

    async def query() -> None:
        async with database.session() as session:
            await session.scalar(text(slow))

    tasks = [asyncio.create_task(query()) for _ in range(4)]
    await asyncio.sleep(after_s)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await database.close()
    assert not [thread for thread in set(threading.enumerate()) - before if "connection" in thread.name]
