"""The database: SQLite through SQLAlchemy's asyncio. Only the server's process opens it."""

import asyncio
import threading
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

import aiosqlite
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers do not wait for the writer; a kill loses nothing that was committed
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
)

THREAD_END_S = 5.0


class Base(DeclarativeBase):
    """All tables, wherever they are declared."""


class Database:
    """An open database; ``async with database.session() as session, session.begin(): ...``."""

    def __init__(self, path: Path) -> None:
        arguments = {"async_creator_fn": self._connect}
        self._engine: AsyncEngine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args=arguments)
        self._opened: WeakSet[Any] = WeakSet()  # the driver's connections
        self._threads: list[threading.Thread] = []  # theirs: one that was cancelled outlives its connection
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        event.listen(self._engine.sync_engine, "connect", self._configure)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file and the tables of every module imported so far. Raises OSError, SQLAlchemyError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        database = cls(path)
        try:
            async with database._engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
        except BaseException:
            await database.close()
            raise
        return database

    def session(self) -> AsyncSession:
        return self._sessions()

    async def close(self) -> None:
        """Twice does no harm. Whoever was cancelled while connecting or asking leaves a thread to end by itself: it is
        waited for, since it speaks to the event loop at its end.
        """
        await self._engine.dispose()
        for connection in list(self._opened):
            await connection.close()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join, THREAD_END_S)

    def _connect(self, *args: Any, **options: Any) -> Any:
        connection: Any = aiosqlite.connect(*args, **options)
        thread: threading.Thread = getattr(connection, "_thread", connection)  # before 0.22 it was one itself
        thread.daemon = True
        self._opened.add(connection)
        self._threads = [each for each in self._threads if each.is_alive() or each.ident is None] + [thread]
        return connection

    def _configure(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
