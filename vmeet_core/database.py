"""The database: SQLite through SQLAlchemy's asyncio. Only the server's process opens it."""

import asyncio
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

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

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._opened: WeakSet[Any] = WeakSet()  # the driver's connections, each with a thread of its own
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file and the tables of every module imported so far. Raises OSError, SQLAlchemyError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        database = cls(engine)
        event.listen(engine.sync_engine, "connect", database._configure)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
        except BaseException:
            await engine.dispose()
            raise
        return database

    def session(self) -> AsyncSession:
        return self._sessions()

    async def close(self) -> None:
        """Twice does no harm. A query that was cancelled leaves its connection to end by itself: that is waited for."""
        await self._engine.dispose()
        for connection in list(self._opened):
            await connection.close()
            thread = getattr(connection, "_thread", None)
            if thread is not None:
                await asyncio.to_thread(thread.join, THREAD_END_S)

    def _configure(self, connection: Any, _record: Any) -> None:
        self._opened.add(connection.driver_connection)
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
