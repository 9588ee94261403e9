"""The database: SQLite through SQLAlchemy's asyncio. Only the server's process opens it."""

from pathlib import Path
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers do not wait for the writer; a kill loses nothing that was committed
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
)


class Base(DeclarativeBase):
    """All tables, wherever they are declared."""


class Database:
    """An open database; ``async with database.session() as session, session.begin(): ...``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file and the tables of every module imported so far. Raises OSError, SQLAlchemyError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(engine.sync_engine, "connect", _configure)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine)

    def session(self) -> AsyncSession:
        return self._sessions()

    async def close(self) -> None:
        """Twice does no harm."""
        await self._engine.dispose()


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
