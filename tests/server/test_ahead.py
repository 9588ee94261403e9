"""Tests of work on recordings that still run, and of what a start-up makes of it."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from vmeet_core.database import DatabaseUnavailable
from vmeet_core.hookspecs import Permanent
from vmeet_core.manifest import Joined, Mark, Started, read_manifest
from vmeet_core.meetings import Choices, Meeting, new_meeting
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.ahead import WorkAhead
from vmeet_core.server.app import HALL
from vmeet_core.server.hall import Hall

PART_S = 0.2


class Pipeline:
    """Notes what it is asked for; ``faults`` are raised first."""

    def __init__(self, *faults: Exception) -> None:
        self.asked: list[str] = []
        self.marks = 0
        self._faults = list(faults)
        self._news = asyncio.Event()

    def mark(self) -> None:
        self.marks += 1

    async def begin(self) -> str:
        self._note("begin")
        if self._faults:
            raise self._faults.pop(0)
        return "j"

    def renew(self, job_id: str) -> None:
        self._note(f"renew {job_id}")

    def _note(self, what: str) -> None:
        self.asked.append(what)
        self._news.set()

    async def until(self, *asked: str) -> None:
        async with asyncio.timeout(20):
            while self.asked[: len(asked)] != [*asked]:
                self._news.clear()
                await self._news.wait()


def work_on(pipeline: Pipeline, part_s: float = PART_S) -> WorkAhead:
    return WorkAhead(time.time(), part_s, pipeline.mark, pipeline.begin, pipeline.renew, settled_s=0.05, written_s=0.01)


async def test_it_begins_with_the_first_part_and_looks_again_after_each_other() -> None:
    pipeline = Pipeline()
    began_s = time.monotonic()
    work = work_on(pipeline)
    await pipeline.until("begin")
    assert time.monotonic() - began_s > PART_S
    await pipeline.until("begin", "renew j", "renew j")
    assert pipeline.marks == 3
    await work.end()
    asked = len(pipeline.asked)
    await asyncio.sleep(2 * PART_S)
    assert len(pipeline.asked) == asked


async def test_a_recording_of_less_than_a_part_is_not_worked_on_ahead() -> None:
    pipeline = Pipeline()
    await work_on(pipeline, 60.0).end()
    assert pipeline.asked == []


async def test_what_goes_wrong_is_tried_again_but_not_what_cannot_be() -> None:
    pipeline = Pipeline(DatabaseUnavailable("gone"), RuntimeError("odd"))
    work = work_on(pipeline)
    await pipeline.until("begin", "begin", "begin", "renew j")
    await work.end()
    hopeless = Pipeline(Permanent("no such plugin"))
    work = work_on(hopeless)
    await hopeless.until("begin")
    await asyncio.sleep(3 * PART_S)
    assert hopeless.asked == ["begin"]
    await work.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for reports."""
    monkeypatch.setattr(
        "vmeet_core.server.hall.WorkAhead", lambda *given: WorkAhead(*given, settled_s=0.05, written_s=0.01)
    )


async def recording(hall: Hall, name: str, part_s: float | None = PART_S) -> tuple[Meeting, Recorder]:
    """One that has begun, of somebody of whom nothing comes: its jobs fail at once."""
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    started = Started(at_s=time.time(), recording_id=name, meeting_id=meeting.id, title="t", part_s=part_s)
    recorder = Recorder(hall.recordings_dir / name, started, 0, lambda reason: None)
    recorder.event(Joined(at_s=time.time(), participant_id="p", name="Anna"))
    await hall._on_recording(meeting, recorder)
    return meeting, recorder


async def begun(hall: Hall, name: str) -> str:
    """The job that works ahead, as soon as it is there."""
    async with asyncio.timeout(20):
        while name not in hall.pipeline.ahead():
            await asyncio.sleep(0.02)
    return hall.pipeline.ahead()[name]


async def ended(hall: Hall, meeting: Meeting, recorder: Recorder) -> None:
    recorder.stop("host")
    await hall._on_recorded(meeting, recorder, ["Anna"], None)


async def jobs(hall: Hall, name: str) -> list[tuple[str, str]]:
    """All of the recording when none works any more: their ids and states."""
    async with asyncio.timeout(60):
        while any(job.recording_id == name for job in hall.pipeline._active.values()):
            await asyncio.sleep(0.02)
        await asyncio.wait_for(asyncio.gather(*hall.pipeline._runs.values()), 30)
    return [(job.id, job.state) for job in await hall.pipeline.jobs(name)]


async def test_the_job_of_the_meeting_is_that_of_the_recording(client: Any) -> None:
    hall = client.app[HALL]
    meeting, recorder = await recording(hall, "r1")
    job_id = await begun(hall, "r1")
    assert any(isinstance(event, Mark) for event in read_manifest(recorder.folder))
    shown = await (await client.get("/api/recordings/r1")).json()
    assert (shown["state"], shown["job"]["id"], shown["job"]["priority"]) == ("recording", job_id, "ahead")
    assert shown["job"]["state"] in ("queued", "running")
    await ended(hall, meeting, recorder)
    assert hall.pipeline.ahead() == {}
    assert await jobs(hall, "r1") == [(job_id, "failed")]
    shown = await (await client.get("/api/recordings/r1")).json()
    assert "nothing was recorded" in shown["job"]["steps"][0]["error"]
    assert hall._ahead == {}


async def test_a_job_that_is_cancelled_meanwhile_stays_cancelled_and_the_recording_gets_its_own(client: Any) -> None:
    hall = client.app[HALL]
    meeting, recorder = await recording(hall, "r1")
    job_id = await begun(hall, "r1")
    assert (await client.post(f"/api/jobs/{job_id}/cancel")).status == 204
    assert (await client.get("/api/recordings/r1")).status == 200
    await ended(hall, meeting, recorder)
    (first, state), (_, other) = await jobs(hall, "r1")
    assert (first, state, other) == (job_id, "cancelled", "failed")
    assert (await client.post(f"/api/jobs/{job_id}/retry")).status == 204  # like any other: its recording has ended
    assert (await jobs(hall, "r1"))[0] == (job_id, "failed")


async def test_where_the_settings_or_the_recording_do_not_want_it_nothing_is_done_ahead(configured: Any) -> None:
    hall = (await configured(pipeline={"ahead": False})).app[HALL]
    meeting, recorder = await recording(hall, "r1")
    assert hall._ahead == {}
    await ended(hall, meeting, recorder)
    assert [state for _, state in await jobs(hall, "r1")] == ["failed"]
    meeting, recorder = await recording((await configured()).app[HALL], "r2", part_s=None)
    assert hall._ahead == {}
    await ended(hall, meeting, recorder)


async def test_a_job_that_cannot_go_on_costs_nothing(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hall = client.app[HALL]
    meeting, recorder = await recording(hall, "r1")
    job_id = await begun(hall, "r1")

    async def broken(*given: Any, **more: Any) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(hall.pipeline, "finish_ahead", broken)
    await ended(hall, meeting, recorder)
    found = await jobs(hall, "r1")
    assert found[0] == (job_id, "cancelled")
    assert [state for _, state in found] == ["cancelled", "failed"]


async def test_a_database_that_does_not_answer_delays_no_end(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = client.app[HALL]
    meeting, recorder = await recording(hall, "r1")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vmeet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(2 * PART_S)
        await asyncio.wait_for(asyncio.to_thread(recorder.stop, "host"), 10)
        ending = asyncio.create_task(hall._on_recorded(meeting, recorder, ["Anna"], None))
    await asyncio.wait_for(ending, 30)
    assert len(await jobs(hall, "r1")) == 1


async def test_the_next_server_goes_on_with_the_job_of_a_meeting_that_was_cut_short(make_client: Any) -> None:
    first = await make_client()
    hall = first.app[HALL]
    _, recorder = await recording(hall, "r1")
    job_id = await begun(hall, "r1")
    recorder.stop("as a kill leaves it: the row says that it runs")
    await first.close()
    hall = (await make_client()).app[HALL]
    assert await jobs(hall, "r1") == [(job_id, "failed")]


async def test_a_recording_that_had_ended_when_the_server_was_killed_is_processed(make_client: Any) -> None:
    first = await make_client()
    hall = first.app[HALL]
    for name in ("told", "plain", "noted", "unreadable", "gone"):
        _, recorder = await recording(hall, name, part_s=PART_S if name == "told" else None)
        recorder.stop("host")
        await hall.store.finish_recording(name, 1.0, ["Anna"], None)
    job_id = await begun(hall, "told")
    await hall.store.add_note("noted", "not processed: no such plugin")
    await hall.store.add_note("unreadable", "its journal cannot be read: line 1")
    (hall.recordings_dir / "gone" / "manifest.json").unlink()
    await first.close()
    hall = (await make_client()).app[HALL]
    assert await jobs(hall, "told") == [(job_id, "failed")]
    assert [state for _, state in await jobs(hall, "plain")] == ["failed"]
    assert [await jobs(hall, name) for name in ("noted", "unreadable", "gone")] == [[], [], []]
