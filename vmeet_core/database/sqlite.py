"""How connections to SQLite are made, and what each begins with."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WRITES = "vmeet_writes"  #: execution option of connections whose transactions will write
BUSY_S = 5.0
THREAD_END_S = 5.0
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}",
    "PRAGMA journal_mode = WAL",  # readers do not wait for the writer; a kill loses nothing that was committed
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",  # what is deleted is not to be read from the file any more
)


class SqliteConnections:
    """An engine over one file, and the threads of its connections.

    Without ``foreign_keys`` a table can be made anew by a migration: dropping it would delete what refers to it.
    """

    def __init__(self, file: Path, foreign_keys: bool = True) -> None:
        arguments = {"async_creator_fn": self._connect}
        self.engine: AsyncEngine = create_async_engine(f"sqlite+aiosqlite:///{file}", connect_args=arguments)
        self._foreign_keys = foreign_keys
        # The driver's connections, and their threads: whoever is cancelled while connecting leaves both behind. Held
        # fast: a connection that nobody holds any more would complain that it was not closed.
        self._opened: list[tuple[Any, threading.Thread]] = []
        event.listen(self.engine.sync_engine, "connect", self._configure)
        event.listen(self.engine.sync_engine, "begin", _begin)

    async def close(self) -> None:
        """Twice does no harm. Whoever was cancelled while connecting or asking leaves a thread to end by itself: it is
        waited for, since it speaks to the event loop at its end.
        """
        await self.engine.dispose()
        for connection, _ in self._opened:
            await connection.close()
        for _, thread in self._opened:
            if thread.is_alive():
                await asyncio.to_thread(thread.join, THREAD_END_S)

    def _connect(self, *args: Any, **options: Any) -> Any:
        connection: Any = aiosqlite.connect(*args, **options)
        thread: threading.Thread = getattr(connection, "_thread", connection)  # before 0.22 it was one itself
        thread.daemon = True
        running = [(other, of) for other, of in self._opened if of.is_alive() or of.ident is None]
        self._opened = [*running, (connection, thread)]
        return connection

    def _configure(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin by itself, and only before some statements
        cursor = connection.cursor()
        for pragma in (*_PRAGMAS, f"PRAGMA foreign_keys = {'ON' if self._foreign_keys else 'OFF'}"):
            cursor.execute(pragma)
        cursor.close()


def _begin(connection: Connection) -> None:
    """Who will write takes the lock first: a reader that becomes a writer may be refused without waiting."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
