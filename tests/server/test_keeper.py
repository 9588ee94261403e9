"""Recordings that go by themselves, in a server."""

import logging
import time
from typing import Any

import pytest

from vmeet_core.meetings import Choices, new_meeting
from vmeet_core.pipeline.store import JobRow
from vmeet_core.server import keeper
from vmeet_core.server.app import HALL, KEEPER
from vmeet_core.server.retention import DAY_S


async def add(client: Any, identity: str, age_days: float, size_bytes: int = 1000, finished: bool = True) -> None:
    hall = client.app[HALL]
    meeting = new_meeting(identity, "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording(identity, meeting, time.time() - age_days * DAY_S)
    if finished:
        await hall.store.finish_recording(identity, 0.0, [], None)
    (hall.recordings_dir / identity / "segments").mkdir(parents=True)
    (hall.recordings_dir / identity / "segments" / "a.mkv").write_bytes(bytes(size_bytes))


async def names(client: Any) -> list[str]:
    return sorted(each["id"] for each in (await (await client.get("/api/recordings")).json())["recordings"])


async def add_job(client: Any, recording_id: str, state: str) -> None:
    store = client.app[HALL].store
    times = {"created_at_s": 0.0, "queued_at_s": 0.0}
    row = JobRow(
        id=f"job-{state}",
        recording_id=recording_id,
        folder="",
        request="{}",
        state=state,
        name="",
        priority="later",
        **times,
    )
    async with store._database.session() as session, session.begin():
        session.add(row)


async def test_by_age(configured: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await configured(recording={"max_age_days": 30, "min_free_bytes": 0})
    hall = client.app[HALL]
    for identity, age_days in (("old", 31), ("new", 29), ("kept", 400), ("busy", 400)):
        await add(client, identity, age_days)
    await add(client, "running", 400, finished=False)
    await add_job(client, "busy", "queued")
    await client.patch("/api/recordings/kept", json={"kept": True})
    told = await (await client.get("/api/retention")).json()
    assert (told["max_age_days"], told["max_total_bytes"], told["total_bytes"]) == (30, 0, 5000)
    assert (told["next"]["id"], told["next"]["title"], told["next"]["reason"]) == ("old", "old", "age")
    with caplog.at_level(logging.INFO):
        assert await client.app[KEEPER].round() == ["old"]
    assert await names(client) == ["busy", "kept", "new", "running"]
    assert not (hall.recordings_dir / "old").exists()
    assert "recording old (old, 1000 bytes) deleted: it ended more than 30 days ago" in caplog.text
    shown = await (await client.get("/api/recordings/new")).json()
    assert shown["expires_at_s"] == pytest.approx(time.time() + DAY_S, abs=60)
    assert (await (await client.get("/api/recordings/kept")).json())["expires_at_s"] is None
    assert (await (await client.get("/api/retention")).json())["next"]["id"] == "new"


async def test_a_clock_that_is_set_far_ahead_deletes_nothing_before_it_has_lasted_for_a_day(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await configured(recording={"max_age_days": 30, "max_total_bytes": 2500, "min_free_bytes": 0})
    for identity, age_days in (("a", 3), ("b", 2), ("c", 1)):
        await add(client, identity, age_days)
    now_s = time.time() + 4000 * DAY_S
    monkeypatch.setattr(client.app[KEEPER], "_clock", lambda: now_s)
    assert await client.app[KEEPER].round() == ["a"], "by size, which no clock decides"
    told = await (await client.get("/api/retention")).json()
    assert told["next"] == {"id": "b", "title": "b", "reason": "age", "at_s": pytest.approx(now_s + DAY_S)}
    monkeypatch.setattr(client.app[KEEPER], "_clock", lambda: now_s + 0.9 * DAY_S)
    assert await client.app[KEEPER].round() == []
    monkeypatch.setattr(client.app[KEEPER], "_clock", lambda: now_s + DAY_S)
    assert await client.app[KEEPER].round() == ["b", "c"]


async def test_by_size(configured: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = await configured(recording={"max_total_bytes": 2500, "min_free_bytes": 0})
    for identity, age_days in (("c", 1), ("a", 3), ("b", 2)):
        await add(client, identity, age_days)
    with caplog.at_level(logging.INFO):
        assert await client.app[KEEPER].round() == ["a"]
    assert "all recordings take more than 2500 bytes" in caplog.text
    assert await names(client) == ["b", "c"]
    told = await (await client.get("/api/retention")).json()
    assert told["next"] == {"id": "b", "title": "b", "reason": "size", "at_s": None}


async def test_without_rules_nothing_is_next(client: Any) -> None:
    await add(client, "a", 5000)
    assert await client.app[KEEPER].round() == []
    told = await (await client.get("/api/retention")).json()
    assert told == {"max_age_days": 0, "max_total_bytes": 0, "total_bytes": 1000, "next": None}


async def test_what_somebody_wants_kept_in_the_last_moment_stays(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await configured(recording={"max_age_days": 30, "min_free_bytes": 0})
    for identity in ("a", "b", "c"):
        await add(client, identity, 31)
    rule = keeper.due_now
    dues = rule(await client.app[KEEPER]._held(), client.app[HALL].settings.recording, time.time())
    await client.patch("/api/recordings/a", json={"kept": True})
    await add_job(client, "b", "running")
    assert [await client.app[KEEPER]._delete(due) for due in dues] == [False, False, True]
    assert await names(client) == ["a", "b"]


async def test_what_is_just_taken_away_stays(configured: Any) -> None:
    client = await configured(recording={"max_age_days": 30, "min_free_bytes": 0})
    await add(client, "a", 31, size_bytes=40_000_000)
    async with client.get("/api/recordings/a/export") as answer:
        await answer.content.readexactly(100)
        assert await client.app[KEEPER].round() == []
        await answer.read()
    assert await client.app[KEEPER].round() == ["a"]


async def test_rounds_go_on_after_a_fault(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    rounds = asyncio.Queue[None](100)

    async def fails(self: keeper.Keeper) -> list[str]:
        rounds.put_nowait(None)
        raise RuntimeError("the database is away")

    monkeypatch.setattr(keeper.Keeper, "round", fails)
    monkeypatch.setattr(keeper, "ROUND_S", 0.01)
    await configured()
    async with asyncio.timeout(10):
        await rounds.get()
        await rounds.get()
