"""News for open pages: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

MAX_QUEUED = 256
KEEPALIVE_S = 15.0


class EventHub:
    """Hands every event to every open page; one that does not read is cut off and will connect again."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Never blocks."""
        line = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
        for queue in list(self._queues):
            try:
                queue.put_nowait(line)
            except asyncio.QueueFull:
                self._queues.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)

    @contextmanager
    def _subscribed(self) -> Iterator[asyncio.Queue[bytes | None]]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer ``GET /api/events`` until the page goes or the hub is closed."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with self._subscribed() as queue:
            await response.write(b": hello\n\n")
            while True:
                try:
                    line = await asyncio.wait_for(queue.get(), KEEPALIVE_S)
                except TimeoutError:
                    line = b": still here\n\n"
                if line is None:
                    return response
                try:
                    await response.write(line)
                except ConnectionError:
                    return response

    def close(self) -> None:
        """End all streams."""
        for queue in self._queues:
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self._queues.clear()
