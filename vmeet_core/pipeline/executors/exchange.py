"""The server's side of the area: what steps read is put there once, what they made is brought from there.

Nothing there says that a step is done: only the row in the database does.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import TypeVar

from vmeet_core.pipeline.executors.area import Area, AreaError
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.pipeline.executors.remote_messages import Exchanged

THREADS = 2  #: that copy at the same time
AGAIN_S = 10.0
FORGET_S = 10.0
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Exchange:
    """Everything of a job lies below ``jobs/ID``, and goes when the job has ended."""

    def __init__(self, url: str, area: Area) -> None:
        self.url, self._area = url, area
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="exchange")
        self._sent: dict[str, dict[str, asyncio.Task[str]]] = {}  #: by job and by what tells one content from another

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def place(
        self, job_id: str, task: str, folder: Path, inputs: Mapping[str, Path], files: Mapping[str, str]
    ) -> Exchanged:
        """Everything that the step reads is there then. Raises StepWaits while the area cannot be used.

        ``files`` maps paths, relative to ``folder`` or absolute, to digests.
        """
        sent_inputs = {
            role: await self._sent_once(job_id, path, await self._state(path)) for role, path in inputs.items()
        }
        sent_files = {
            file: await self._sent_once(job_id, folder / file, f"{file}|{digest}") for file, digest in files.items()
        }
        return Exchanged(url=self.url, inputs=sent_inputs, files=sent_files, results=_try(job_id, task))

    async def fetch(self, job_id: str, place: Exchanged, name: str, target: Path) -> None:
        """What the try has made, under its own name when all of it is there. Raises StepWaits."""
        unfinished = target.with_name(f".{target.name}.{PurePath(place.results).name}")
        remote = f"{place.results}/{name}"
        try:
            await self._in_thread(_fetch, self._area, remote, unfinished, target)
        finally:
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)
        known = self._sent.setdefault(job_id, {})
        known[await self._state(target)] = asyncio.create_task(_known(remote))  # the next step reads it from there

    async def drop(self, job_id: str, task: str) -> None:
        """What a try that failed has left; and what was there may be gone, so it is looked at again."""
        self._sent.pop(job_id, None)
        await self._remove(_try(job_id, task))

    async def forget(self, job_id: str) -> None:
        self._sent.pop(job_id, None)
        await self._remove(_job(job_id))

    async def _remove(self, name: str) -> None:
        try:
            async with asyncio.timeout(FORGET_S):
                await self._in_thread(self._area.remove, name)
        except (StepWaits, TimeoutError) as error:
            _log.warning("%s/%s is left over: %s", self.url, name, error or "no answer")

    async def _sent_once(self, job_id: str, path: Path, state: str) -> str:
        known = self._sent.setdefault(job_id, {})
        if state not in known:
            digest = hashlib.sha256(state.encode()).hexdigest()[:32]
            known[state] = asyncio.create_task(self._send(path, f"{_job(job_id)}/in/{digest}{path.suffix}"))
        try:
            return await asyncio.shield(known[state])
        except StepWaits:
            known.pop(state, None)
            raise

    async def _send(self, path: Path, name: str) -> str:
        def send() -> None:
            if not self._area.has(name, path.stat().st_size):
                self._area.put(path, name)

        await self._in_thread(send)
        return name

    async def _state(self, path: Path) -> str:
        """Tells the file from another one that was there before."""
        stat = await asyncio.to_thread(path.stat)
        return f"{path}|{stat.st_size}|{stat.st_mtime_ns}"

    async def _in_thread(self, function: Callable[..., _T], *args: object) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
        except (AreaError, OSError) as error:
            raise StepWaits(f"pipeline.files: {error}", AGAIN_S) from error


def _fetch(area: Area, name: str, unfinished: Path, target: Path) -> None:
    area.get(name, unfinished)
    unfinished.replace(target)


async def _known(name: str) -> str:
    return name


def _job(job_id: str) -> str:
    return f"jobs/{job_id}"


def _try(job_id: str, task: str) -> str:
    return f"{_job(job_id)}/tries/{task}"
