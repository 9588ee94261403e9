"""Starting and stopping the server."""

import asyncio
import socket
from typing import Any

import pytest

from vmeet_core.server.app import NETWORK, ServerError, new_event_loop


def test_the_event_loop_is_that_of_uvloop_where_it_is_installed() -> None:
    uvloop = pytest.importorskip("uvloop")
    loop = new_event_loop()
    assert isinstance(loop, uvloop.Loop)
    loop.close()


def test_without_uvloop_it_is_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    loop = new_event_loop()
    assert type(loop).__module__.startswith("asyncio")
    loop.close()


async def test_all_media_goes_through_one_port_of_the_range(make_client: Any) -> None:
    port = free_port()
    client = await make_client(udp_ports=f"{port}-{port}")
    assert client.app[NETWORK].port == port


async def test_a_port_that_is_taken_is_named_with_the_remedy(make_client: Any) -> None:
    port = free_port()
    await make_client(udp_ports=str(port))
    with pytest.raises(ServerError, match=rf"{port}.*server\.udp_ports"):
        await make_client(udp_ports=str(port))


async def test_after_the_end_nothing_is_left(make_client: Any) -> None:
    before = asyncio.all_tasks()
    client = await make_client()
    meeting = await (await client.post("/api/meetings", json={"title": "t", "preset": "plain"})).json()
    page = await client.ws_connect(f"/api/meetings/{meeting['id']}/socket")
    await page.send_json({"type": "join", "name": "Anna"})
    while (await page.receive_json())["type"] != "slots":
        pass
    network = client.app[NETWORK]
    await client.close()
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)
    assert network.connections == {}
    assert network.addresses == []


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
