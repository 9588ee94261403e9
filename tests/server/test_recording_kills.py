"""The server is killed while a file is uploaded, processed or deleted; the next one goes on."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from aiohttp import ClientSession
from material import beep, write_pictures
from tus_client import PART, TUS, create, offset, send

from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.mux import join

LENGTH_S = 4.0


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    """Some seconds of sound and pictures."""
    import numpy as np

    write_pictures(tmp_path / "picture.mkv", LENGTH_S, codec="h264", size_px=(640, 360))
    with AudioWriter(tmp_path / "sound.flac", 48_000) as writer:
        writer.write(beep(1.0)(np.arange(round(LENGTH_S * 48_000)) / 48_000).astype(np.float32))
    join(tmp_path / "film.mp4", tmp_path / "picture.mkv", tmp_path / "sound.flac")
    return (tmp_path / "film.mp4").read_bytes()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[browsers.Server]:
    (tmp_path / "server").mkdir()
    running = browsers.Server(tmp_path / "server")
    await running.start()
    yield running
    running.stop()


@pytest.fixture
async def client(server: browsers.Server) -> AsyncIterator[ClientSession]:
    async with ClientSession(server.url) as session:
        yield session


async def kill(server: browsers.Server) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(server.process.wait, 10)


async def show(client: ClientSession, path: str) -> Any:
    async with client.get(path) as answer:
        return await answer.json()


async def until(client: ClientSession, recording_id: str, condition: Any) -> Any:
    async with asyncio.timeout(120):
        while True:
            found = await show(client, f"/api/recordings/{recording_id}")
            if condition(found):
                return found
            await asyncio.sleep(0.02)


def is_ready(found: Any) -> bool:
    assert found.get("state") != "failed", found
    return bool(found.get("state") == "ready")


async def hanging(data: bytes, hangs: asyncio.Event) -> AsyncIterator[bytes]:
    yield data
    await hangs.wait()


async def test_in_the_middle_of_parts(server: browsers.Server, client: ClientSession, film: bytes) -> None:
    """What had come is there after each of the kills, and the file is whole in the end."""
    address = (await create(client, len(film), filename="film.mp4")).headers["Location"]
    identity, there, hangs = address.rpartition("/")[2], 0, asyncio.Event()
    part = len(film) // 3
    for number in range(1, 3):
        data = hanging(film[there : part * number], hangs)
        headers = PART | {"Upload-Offset": str(there)}
        task = asyncio.create_task(client.patch(address, headers=headers, data=data))
        path = server.folder / "data" / "recordings" / identity / "upload" / "original.mp4"
        if number > 1:  # the first is killed at once: perhaps nothing has come
            async with asyncio.timeout(20):
                while (await show(client, f"/api/uploads/{identity}"))["state"] != "receiving":
                    await asyncio.sleep(0.01)
        await kill(server)
        await asyncio.gather(task, return_exceptions=True)
        await server.start()
        there = await offset(client, address)
        assert path.read_bytes() == film[:there] if path.exists() else there == 0
    assert (await send(client, address, there, film[there:])).status == 204
    await until(client, identity, is_ready)
    async with client.get(f"/api/recordings/{identity}/files/upload/original.mp4") as answer:
        assert await answer.read() == film


async def test_when_the_last_byte_has_come(server: browsers.Server, client: ClientSession, film: bytes) -> None:
    """Between the last byte and the recording, at several moments."""
    for wait_s in (0.0, 0.5):
        address = (await create(client, len(film), filename="film.mp4")).headers["Location"]
        identity = address.rpartition("/")[2]
        path = server.folder / "data" / "recordings" / identity / "upload" / "original.mp4"
        task = asyncio.create_task(send(client, address, 0, film))
        async with asyncio.timeout(20):
            while not path.exists() or path.stat().st_size < len(film):
                await asyncio.sleep(0.005)
        await asyncio.sleep(wait_s)  # into whatever happens then
        await kill(server)
        await asyncio.gather(task, return_exceptions=True)
        await server.start()
        async with client.head(address, headers=TUS) as answer:  # an upload or a recording, nothing else
            is_upload = answer.status == 200
            assert answer.headers.get("Upload-Offset") == (str(len(film)) if is_upload else None)
        found = await until(client, identity, is_ready)
        assert len(found["jobs"]) == 1


async def test_in_the_middle_of_each_step(server: browsers.Server, client: ClientSession, film: bytes) -> None:
    """A kill while each step runs; those that were done stay done, and the results are whole."""
    address = (await create(client, len(film), filename="film.mp4")).headers["Location"]
    identity = address.rpartition("/")[2]
    await send(client, address, 0, film)
    killed: set[str] = set()

    def at_another_step(found: Any) -> bool:
        steps = (found.get("job") or {"steps": []})["steps"]
        return found.get("state") == "ready" or any(s["state"] == "running" and s["name"] not in killed for s in steps)

    while True:
        found = await until(client, identity, at_another_step)
        if found["state"] == "ready":
            break
        running = {step["name"] for step in found["job"]["steps"] if step["state"] == "running"}
        done = {step["name"]: step["seconds"] for step in found["job"]["steps"] if step["state"] == "done"}
        killed |= running
        await kill(server)
        await server.start()
        again = await until(client, identity, lambda each: each.get("job"))
        after = {step["name"]: step["seconds"] for step in again["job"]["steps"] if step["state"] == "done"}
        assert {name: after[name] for name in done} == done
    assert {"prepare", "layout"} <= killed
    assert {"video", "mix", "thumbnail"} <= set(found["job"]["results"])
    assert found["duration_s"] == pytest.approx(LENGTH_S, abs=0.1)


async def test_in_the_middle_of_a_deletion(server: browsers.Server, client: ClientSession, film: bytes) -> None:
    for wait_s in (0.0, 0.01, 0.03):
        address = (await create(client, len(film), filename="film.mp4")).headers["Location"]
        identity = address.rpartition("/")[2]
        await send(client, address, 0, film)
        await until(client, identity, is_ready)
        folder = server.folder / "data" / "recordings" / identity
        for number in range(300):  # deleting takes a moment
            (folder / "segments" / str(number)).mkdir(parents=True)
        task = asyncio.create_task(client.delete(f"/api/recordings/{identity}"))
        await asyncio.sleep(wait_s)
        await kill(server)
        await asyncio.gather(task, return_exceptions=True)
        await server.start()
        found = await show(client, f"/api/recordings/{identity}")
        if found.get("state") is None:  # it had begun
            assert not folder.exists()
            assert (await show(client, "/api/recordings"))["recordings"] == []
        else:
            assert found["state"] == "ready"
            async with client.delete(f"/api/recordings/{identity}") as answer:
                assert answer.status == 204
            assert not folder.exists()
