"""Messages on their way to one page: a bounded queue, so that a page that does not read cannot fill the memory."""

import asyncio
import contextlib
import logging

from aiohttp import web

from vmeet_core.protocol import ServerMessage

logger = logging.getLogger(__name__)
MAX_QUEUED = 512


class Outbox:
    """Sends in order. When the page falls too far behind, its socket is closed: it will come back and start afresh."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_QUEUED)
        self._task = asyncio.create_task(self._run())

    def send(self, message: ServerMessage) -> None:
        """Queue a message; never blocks."""
        self.send_text(message.model_dump_json())

    def send_text(self, text: str) -> None:
        """Queue a message that is JSON already: one for many pages is written once."""
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            logger.warning("a page does not read its messages; closing its socket")
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while (text := await self._queue.get()) is not None:
                await self._socket.send_str(text)
        except (ConnectionError, RuntimeError) as error:
            logger.debug("socket gone: %s", error)
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await asyncio.wait_for(self._socket.close(), 2)

    def finish(self) -> None:
        """Send what is queued, then close the socket."""
        try:
            self._queue.put_nowait(None)
        except asyncio.QueueFull:
            self._task.cancel()

    async def close(self) -> None:
        """Like ``finish``, and wait for it, but not for long."""
        self.finish()
        _, pending = await asyncio.wait([self._task], timeout=3)
        for task in pending:
            task.cancel()
