"""An open database: transactions that outlast a lock or a lost connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from vmeet_core.database.address import POSTGRESQL, Address, sqlite_address
from vmeet_core.database.faults import DatabaseError, DatabaseUnavailable, reason
from vmeet_core.database.migrate import migrate
from vmeet_core.database.patience import PATIENCE_S, Patience
from vmeet_core.database.postgresql import PostgresqlConnections
from vmeet_core.database.sqlite import WRITES, SqliteConnections

OPEN_PATIENCE_S = 15.0
T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]


class Database:
    """``await database.write(work)`` and ``await database.read(work)``; ``work(session)`` may be called several times:
    whatever it does besides the database must bear that.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.patience = Patience(str(address))
        self._connections: SqliteConnections | PostgresqlConnections = (
            SqliteConnections(address.file) if address.file else PostgresqlConnections(address)
        )
        engine = self._connections.engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._writers = async_sessionmaker(engine.execution_options(**{WRITES: True}), expire_on_commit=False)
        # SQLite takes one writer at a time, and of two who write the same the later one must have seen more.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, where: Address | Path, patience_s: float = OPEN_PATIENCE_S) -> Self:
        """Open (SQLite: or make) the database, and bring its tables to this program's version.

        Raises DatabaseError when it is newer than the program, cannot be reached, or lacks its driver.
        """
        address = sqlite_address(where) if isinstance(where, Path) else where
        if address.file:
            try:
                address.file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseError(f"the database {address} cannot be made: {error.strerror}") from error
        database = cls(address)
        try:
            await database._prepare(patience_s)
        except BaseException:
            await database.close()
            raise
        return database

    async def _prepare(self, patience_s: float) -> None:
        try:
            await self.patience.hold(lambda left_s: migrate(self.address), patience_s)
        except DatabaseUnavailable as error:
            raise DatabaseError(f"{error}. {_remedy(self.address)}") from error
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseError(
                f"the database {self.address} cannot be used: {reason(error)}. {_remedy(self.address)}"
            ) from error

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.address.kind

    def session(self) -> AsyncSession:
        """One attempt: for what may fail."""
        return self._sessions()

    async def read(self, work: Work[T], patience_s: float = PATIENCE_S) -> T:
        """What ``work`` returns. Raises DatabaseUnavailable after ``patience_s``."""

        async def attempt(left_s: float) -> T:
            async with self._sessions() as session:
                return await work(session)

        return await self.patience.hold(attempt, patience_s)

    async def write(self, work: Work[T], patience_s: float = PATIENCE_S) -> T:
        """What ``work`` returns, once all of it is committed; one after the other. Raises DatabaseUnavailable after
        ``patience_s``.

        Where the answer to a commit was lost ``work`` runs again on what it committed itself.
        """

        async def attempt(left_s: float) -> T:
            async with self._having_turn(left_s), self._writers() as session, session.begin():
                return await work(session)

        return await self.patience.hold(attempt, patience_s)

    @contextlib.asynccontextmanager
    async def _having_turn(self, left_s: float) -> AsyncIterator[None]:
        async with asyncio.timeout(max(left_s, 0.0) if left_s < float("inf") else None):
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()

    async def close(self) -> None:
        """Twice does no harm."""
        await self._connections.close()


def _remedy(address: Address) -> str:
    if address.kind == POSTGRESQL:
        return "Start PostgreSQL, make that database and its user, or correct server.database in the settings."
    return "Free the file, or see to it that its folder can be written (server.data_dir in the settings)."
