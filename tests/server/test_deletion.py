"""Deleting a recording: nothing is left, whatever happens meanwhile."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from denoiser_kinds import PROVIDERS
from material import beep, write_opus
from processes import appeared, is_running
from sqlalchemy import text
from tus_client import upload

from vmeet_core.server import hall as hall_module
from vmeet_core.server.app import HALL

SLOW = """
import os, time
from pathlib import Path
from vmeet_core.hookspecs import DenoiserStream, Options

KINDS = ("slow",)

class FakeOptions(Options):
    folder: str = ""

class Stream(DenoiserStream):
    def __init__(self, options, kind):
        self.folder = Path(options.folder)
    def process(self, audio):
        (self.folder / "pid").write_text(str(os.getpid()))
        (self.folder / "started").touch()
        while not (self.folder / "go").exists():
            time.sleep(0.02)
        return audio
"""


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    write_opus(tmp_path / "film.mkv", 1.0, beep(0.5))
    return (tmp_path / "film.mkv").read_bytes()


async def ready(client: Any, recording_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = await (await client.get(f"/api/recordings/{recording_id}")).json()
            if found["state"] == "ready":
                return found
            await asyncio.sleep(0.05)


async def leftovers(client: Any, identity: str) -> list[str]:
    """Every file, row and memory that knows of the recording."""
    hall = client.app[HALL]
    data = hall.recordings_dir.parent
    found = [str(path) for path in data.rglob("*") if identity in str(path)]
    async with hall.store._database.session() as session:
        tables = [
            name for (name,) in await session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        ]
        for table in tables:
            rows = [str(tuple(row)) for row in await session.execute(text(f"SELECT * FROM {table}"))]
            found += [f"{table}: {row}" for row in rows if identity in row]
        steps = (await session.execute(text("SELECT count(*) FROM steps"))).scalar()
    found += [f"{steps} steps"] if steps else []
    found += [f"job {job.id}" for job in hall.pipeline._active.values() if job.recording_id == identity]
    return found


async def test_nothing_is_left(client: Any, film: bytes) -> None:
    identity = await upload(client, film, filename="a.mkv", denoiser="none")
    await ready(client, identity)
    before = await leftovers(client, identity)
    assert any("upload/original.mkv" in each for each in before)
    assert any(each.startswith("jobs:") for each in before)
    assert (await client.delete(f"/api/recordings/{identity}")).status == 204
    assert await leftovers(client, identity) == []
    assert (await client.get(f"/api/recordings/{identity}")).status == 404
    assert (await client.delete(f"/api/recordings/{identity}")).status == 404


async def test_a_job_that_runs_is_ended_first(
    tmp_path: Path, use_plugin: Callable[[str, str], None], make_client: Any, film: bytes
) -> None:
    use_plugin("slow-denoiser", SLOW + PROVIDERS)
    client = await make_client()
    options = f'{{"slow": {{"folder": "{tmp_path}"}}}}'
    identity = await upload(client, film, filename="a.mkv", denoiser="slow", options=options)
    await appeared(tmp_path / "started")
    pid = int((tmp_path / "pid").read_text())
    queued = await client.post(f"/api/recordings/{identity}/jobs", json={"denoiser": None})  # waits for the first one
    job_id = (await queued.json())["id"]
    assert (await client.delete(f"/api/recordings/{identity}")).status == 204
    assert not is_running(pid)
    assert await leftovers(client, identity) == []
    assert (await client.post(f"/api/jobs/{job_id}/retry")).status == 404


async def test_one_that_was_cut_short_is_finished_at_the_start(make_client: Any, film: bytes) -> None:
    client = await make_client()
    identity = await upload(client, film, filename="a.mkv", denoiser="none")
    found = await ready(client, identity)
    hall = client.app[HALL]
    assert await hall.store.begin_deletion(identity)
    thumbnail = hall.recordings_dir / identity / found["job"]["results"]["mix"]
    thumbnail.unlink()  # some of its files were gone already
    assert (await client.get(f"/api/recordings/{identity}")).status == 404
    assert (await (await client.get("/api/recordings")).json())["recordings"] == []
    await client.close()
    second = await make_client()
    assert await leftovers(second, identity) == []


async def test_an_unfinished_job_of_a_deleted_recording_does_not_start_again(
    tmp_path: Path, use_plugin: Callable[[str, str], None], make_client: Any, film: bytes
) -> None:
    use_plugin("slow-denoiser", SLOW + PROVIDERS)
    client = await make_client()
    options = f'{{"slow": {{"folder": "{tmp_path}"}}}}'
    identity = await upload(client, film, filename="a.mkv", denoiser="slow", options=options)
    await appeared(tmp_path / "started")
    assert await client.app[HALL].store.begin_deletion(identity)
    await client.close()
    (tmp_path / "started").unlink()
    second = await make_client()
    assert await leftovers(second, identity) == []
    assert not (tmp_path / "started").exists()


async def test_a_file_that_cannot_be_deleted_is_told_and_tried_again(
    client: Any, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await upload(client, film, filename="a.mkv", denoiser="none")
    await ready(client, identity)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hall_module.shutil, "rmtree", refuse)
    answer = await client.delete(f"/api/recordings/{identity}")
    assert (answer.status, (await answer.json())["error"]["code"]) == (500, "not-all-deleted")
    assert (await client.get(f"/api/recordings/{identity}")).status == 404
    assert await leftovers(client, identity)
    monkeypatch.setattr(hall_module.shutil, "rmtree", shutil.rmtree)
    monkeypatch.undo()
    await client.app[HALL].finish_deletions()
    assert await leftovers(client, identity) == []


async def test_what_is_asked_for_at_the_same_moment_leaves_nothing(client: Any, film: bytes) -> None:
    """Another job, a retry, a cancellation and a second deletion beside the deletion, in every order."""
    for order in range(4):
        identity = await upload(client, film, filename="a.mkv", denoiser="none")
        found = await ready(client, identity)
        path = f"/api/recordings/{identity}"
        wishes = [
            client.post(f"{path}/jobs", json={"denoiser": None}),
            client.post(f"/api/jobs/{found['job']['id']}/retry"),
            client.post(f"/api/jobs/{found['job']['id']}/cancel"),
            client.patch(path, json={"kept": True}),
            client.delete(path),
        ]
        wishes.insert(order, client.delete(path))
        await asyncio.gather(*wishes)
        assert await leftovers(client, identity) == []
