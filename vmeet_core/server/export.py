"""Everything of a recording as one zip file, made while it is sent: nothing is written, and little is held.

Nothing is compressed, since media is already: so the length is known beforehand, and a browser shows progress.
"""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from zipstream import ZipStream  # type: ignore[import-untyped]

from vmeet_core.pipeline.views import JobView
from vmeet_core.server.errors import ApiError
from vmeet_core.server.export_readme import readme
from vmeet_core.server.hall import Hall
from vmeet_core.server.places import NoPlace, Places
from vmeet_core.server.store import RecordingRow

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 8
THREADS = 2


class Exports:
    """Answers requests for exports, a bounded number at one time."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._places = Places(MOST_AT_ONCE)
        self._running: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(THREADS, "exports")  # starts none before it is used

    def in_use(self, recording_id: str) -> bool:
        """Whether it is being sent to somebody now."""
        return self._running[recording_id] > 0

    def close(self) -> None:
        """No more reading."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def answer(self, request: web.Request, row: RecordingRow) -> web.StreamResponse:
        """The zip file. Raises ApiError, and ConnectionError when the browser goes."""
        try:
            with self._places.taken():
                self._running[row.id] += 1
                try:
                    return await self._sent(request, row)
                finally:
                    self._running[row.id] -= 1
        except NoPlace:
            raise ApiError(503, "busy", "the server is busy with other exports; try again later") from None

    async def _sent(self, request: web.Request, row: RecordingRow) -> web.StreamResponse:
        jobs = await self._hall.pipeline.jobs(row.id)
        about = await self._hall.describe(row, jobs) | {"jobs": [job.model_dump(mode="json") for job in jobs]}
        archive = await self._in_thread(lambda: zipped(self._hall.recordings_dir / row.id, row, jobs, about))
        response = web.StreamResponse(headers={"Content-Type": "application/zip", "Cache-Control": "no-store"})
        response.headers["Content-Disposition"] = attachment(f"{plain_name(row.title)}-{row.id[:15]}.zip")
        response.content_length = len(archive)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        try:
            await self._stream(archive, response)
        except ConnectionError:
            raise
        except (OSError, RuntimeError) as error:
            # The length has been promised: the browser has to see that this is not all.
            logger.warning("the export of recording %s broke off: %s", row.id, error)
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("a file changed or went while it was exported") from error
        return response

    async def _stream(self, archive: ZipStream, response: web.StreamResponse) -> None:
        parts = iter(archive)
        while part := await self._in_thread(lambda: next(parts, b"")):
            await response.write(part)
        await response.write_eof()

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def zipped(folder: Path, row: RecordingRow, jobs: list[JobView], about: dict[str, Any]) -> ZipStream:
    """The archive, sized: a file that changes or goes while it is read ends it with an error."""
    top = f"{plain_name(row.title)}-{row.id[:15]}"
    files = [(path, path.relative_to(folder).as_posix()) for path in _files(folder)]
    archive = ZipStream(sized=True)
    archive.add(readme(row, jobs, [name for _, name in files]).encode("utf-8-sig"), f"{top}/README.txt")
    archive.add(json.dumps(about, ensure_ascii=False, indent=2).encode(), f"{top}/recording.json")
    for path, name in files:
        archive.add_path(path, f"{top}/{name}")
    return archive


def attachment(name: str) -> str:
    """The header that has a browser save the answer under this name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def plain_name(title: str) -> str:
    """The title as every system takes it for a file's name."""
    return re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]+', "_", title).strip(" ._")[:80] or "recording"


def _files(folder: Path) -> Iterator[Path]:
    """In a stable order; what steps have not finished is left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path
