"""A database that somebody else holds locked, for ten seconds at random moments."""

import asyncio
import contextlib
import random
import sys
from pathlib import Path
from typing import Any

from killmatrix_hindrance import Hindrance

LOCK_S = 10.0
PAUSE_S = (1.0, 8.0)  #: from one lock to the next
#: As a backup or an inspecting shell would: it waits for its turn, and then lets nobody write.
LOCKER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
"""


class LockedDatabase(Hindrance):
    """From the moment when there is a database on, whatever the server does and whoever is killed meanwhile."""

    def __init__(self, file: Path, seed: int) -> None:
        super().__init__()
        self._file = file
        self._random = random.Random(f"{seed} lock")
        self._task: asyncio.Task[None] | None = None
        self._locks = 0

    async def begin(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def figures(self) -> dict[str, Any]:
        return {"locks": self._locks}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSE_S))
            if self._file.exists():
                await self._lock()

    async def _lock(self) -> None:
        command = [sys.executable, "-c", LOCKER, str(self._file), str(LOCK_S)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            assert process.stdout is not None
            if await process.stdout.readline():
                self._locks += 1
            if await process.wait():
                self.faults.append("the database could not be locked")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
