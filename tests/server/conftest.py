"""A running server on a free port, and clients of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from vmeet_core.plugins import discover
from vmeet_core.server.app import build_app
from vmeet_core.settings import Settings, load_settings

MakeClient = Callable[..., Awaitable[Any]]


def settings_in(folder: Path, min_free_bytes: int = 0, **server: Any) -> Settings:
    """Settings without a file, with everything kept in ``folder``."""
    settings = load_settings(None, {})
    return settings.model_copy(
        update={
            "server": settings.server.model_copy(update={"data_dir": folder / "data", **server}),
            "recording": settings.recording.model_copy(update={"min_free_bytes": min_free_bytes}),
        }
    )


@pytest.fixture
async def make_client(tmp_path: Path) -> AsyncIterator[MakeClient]:
    """``await make_client(access_key=...)``: a client of a fresh server over the same data folder."""
    clients: list[Any] = []

    async def make(**server: Any) -> Any:
        app = build_app(settings_in(tmp_path, **server), discover())
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def client(make_client: MakeClient) -> Any:
    return await make_client()


class Page:
    """A page's socket, as far as signalling goes."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def send(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of a type; others are passed over."""
        while True:
            message: dict[str, Any] = await self.socket.receive_json(timeout=15)
            if message["type"] == kind:
                return message

    async def join(self, name: str, **more: Any) -> dict[str, Any]:
        await self.send(type="join", name=name, **more)
        self.welcome = await self.next("welcome")
        return self.welcome


@pytest.fixture
def new_meeting(client: Any) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def make(title: str = "早安") -> dict[str, Any]:
        answer = await client.post("/api/meetings", json={"title": title, "preset": "plain"})
        assert answer.status == 201, await answer.text()
        return dict(await answer.json())

    return make


@pytest.fixture
def open_page(client: Any) -> Callable[[str], Awaitable[Page]]:
    async def make(meeting_id: str) -> Page:
        return Page(await client.ws_connect(f"/api/meetings/{meeting_id}/socket"))

    return make
