"""Tests of an open database, of both kinds."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import PostgresqlServer
from sqlalchemy import ForeignKey, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from vmeet_core.database import Address, Database, DatabaseError, DatabaseUnavailable


class _Base(DeclarativeBase):
    """Tables of these tests only."""


class _Parent(_Base):
    __tablename__ = "test_parents"
    id: Mapped[int] = mapped_column(primary_key=True)


class _Child(_Base):
    __tablename__ = "test_children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("test_parents.id"))


async def make_tables(database: Database) -> None:
    async def work(session: AsyncSession) -> None:
        await (await session.connection()).run_sync(_Base.metadata.create_all)

    await database.write(work)


async def add(database: Database, number: int, **given: Any) -> None:
    async def work(session: AsyncSession) -> None:
        await session.merge(_Parent(id=number))

    await database.write(work, **given)


async def numbers(database: Database, **given: Any) -> list[int]:
    async def work(session: AsyncSession) -> list[int]:
        return list((await session.execute(text("SELECT id FROM test_parents ORDER BY id"))).scalars())

    return await database.read(work, **given)


@contextlib.contextmanager
def locked(file: Path) -> Any:
    """Somebody else holds the lock of a writer."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    return tmp_path / "vmeet.sqlite3"


@pytest.fixture
async def opened(file: Path) -> AsyncIterator[Database]:
    """SQLite, with the tables of these tests."""
    database = await Database.open(file)
    await make_tables(database)
    yield database
    await database.close()


async def test_what_was_committed_is_there_after_reopening(address: Address) -> None:
    database = await Database.open(address)
    await make_tables(database)
    await add(database, 7)
    await database.close()
    database = await Database.open(address)
    assert await numbers(database) == [7]
    await database.close()
    await database.close()


async def test_what_raises_is_not_committed(database: Database) -> None:
    await make_tables(database)

    async def work(session: AsyncSession) -> None:
        session.add(_Parent(id=1))
        await session.flush()
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await numbers(database) == []


async def test_foreign_keys_are_kept_and_not_tried_again(database: Database) -> None:
    await make_tables(database)
    calls = []

    async def work(session: AsyncSession) -> None:
        calls.append(1)
        session.add(_Child(id=1, parent_id=99))

    with pytest.raises(IntegrityError):
        await database.write(work)
    assert len(calls) == 1


async def test_many_writers_at_once_all_succeed(database: Database) -> None:
    await make_tables(database)
    await asyncio.gather(*(add(database, number) for number in range(40)))
    assert await numbers(database) == list(range(40))


async def test_every_connection_writes_ahead_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "new" / "vmeet.sqlite3")
    await make_tables(database)
    async with database.session() as first, database.session() as second:
        for session in (first, second):
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert await session.scalar(text("PRAGMA busy_timeout")) == 5000
            assert await session.scalar(text("PRAGMA secure_delete")) == 1
    async with database.session() as session:
        session.add(_Child(id=1, parent_id=99))
        with pytest.raises(IntegrityError):
            await session.commit()
    await database.close()


async def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="unable to open database file"):
        await Database.open(tmp_path, patience_s=0.1)


async def test_a_file_that_is_no_database_is_an_error_at_once(file: Path) -> None:
    await asyncio.to_thread(file.write_bytes, b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(DatabaseError, match=r"vmeet\.sqlite3 cannot be used: file is not a database"):
        await Database.open(file)


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


async def test_a_lock_of_ten_seconds_delays_writes_and_loses_none(file: Path, opened: Database) -> None:
    """Readers go on meanwhile, and it is told that writers wait."""
    told: list[str | None] = []
    opened.patience.on_trouble = told.append
    with locked(file):
        tasks = [asyncio.create_task(add(opened, number)) for number in range(5)]
        released = asyncio.create_task(asyncio.sleep(10))
        while not told:
            await asyncio.sleep(0.05)
        assert await asyncio.wait_for(numbers(opened), 2) == []
        await released
        assert not any(task.done() for task in tasks)
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert await numbers(opened) == [0, 1, 2, 3, 4]
    assert told == ["database is locked", None]


async def test_nobody_waits_longer_than_was_said(file: Path, opened: Database) -> None:
    with locked(file), pytest.raises(DatabaseUnavailable, match=r"vmeet\.sqlite3 does not answer"):
        await asyncio.wait_for(asyncio.gather(*(add(opened, number, patience_s=0.5) for number in range(3))), 20)
    await add(opened, 9)
    assert 9 in await numbers(opened)


async def test_who_would_wait_for_ever_gives_up_when_the_server_ends(file: Path, opened: Database) -> None:
    with locked(file):
        task = asyncio.create_task(add(opened, 1, patience_s=float("inf")))
        while opened.patience.trouble is None:
            await asyncio.sleep(0.05)
        opened.patience.hurry(0.2)
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(task, 12)


async def test_a_server_that_is_away_for_a_while_loses_nothing(postgresql_server: PostgresqlServer) -> None:
    """Connections that were open are made anew."""
    database = await Database.open(Address.parse(postgresql_server.make_database()))
    await make_tables(database)
    await add(database, 1)
    told: list[str | None] = []
    database.patience.on_trouble = told.append
    await asyncio.to_thread(postgresql_server.stop)
    try:
        tasks = [asyncio.create_task(add(database, 2)), asyncio.create_task(numbers(database))]
        while not told:
            await asyncio.sleep(0.05)
        with pytest.raises(DatabaseUnavailable):
            await numbers(database, patience_s=0.3)
    finally:
        await asyncio.to_thread(postgresql_server.start)
    _, read = await asyncio.wait_for(asyncio.gather(*tasks), 30)
    assert read[:1] == [1]
    assert await numbers(database) == [1, 2]
    assert told[0] is not None
    assert told[-1] is None
    await database.close()


async def test_a_server_that_is_not_there_is_told_at_the_start(postgresql_server: PostgresqlServer) -> None:
    nobody = postgresql_server.address("x").replace(f":{postgresql_server.port}", ":1").replace("//", "//me:secret@")
    address = Address.parse(nobody.replace("secret@vmeet@", "secret@"))
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:1/x does not answer.*Start PostgreSQL") as caught:
        await Database.open(address, patience_s=0.5)
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_there_is_told_at_once(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(DatabaseError, match=r'cannot be used: database "nothing" does not exist.*server\.database'):
        await Database.open(Address.parse(postgresql_server.address("nothing")))


async def test_an_encoding_without_chinese_is_refused(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.make_database("-E", "LATIN1")
    with pytest.raises(DatabaseError, match="keeps text as LATIN1, which has no Chinese"):
        await Database.open(Address.parse(url))


async def test_a_driver_that_is_absent_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncpg", None)
    with pytest.raises(DatabaseError, match=r"needs the package asyncpg.*pip install 'vmeet-core\[postgresql\]'"):
        await Database.open(Address.parse("postgresql://127.0.0.1/x"))
