"""Tests of jobs in the database, SQLite and PostgreSQL."""

import asyncio
from pathlib import Path

import pytest

from vmeet_core.database import Database
from vmeet_core.pipeline.job import Job, Log, Step
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import ProcessRequest


@pytest.fixture
def store(database: Database) -> JobStore:
    """In a database of each kind."""
    return JobStore(database)


def job(job_id: str, *names: str, recording: str = "r", created_s: float = 1.0) -> Job:
    steps = [
        Step(
            StepSpec(name=n, title=n, function="f", version=1, outputs={"out": Output(result=n, file=n)}),
            key=f"key-{n}",
        )
        for n in names
    ]
    request = ProcessRequest(denoiser="dtln", options={"dtln": {"strength": 0.5}}, title="週會")
    return Job(job_id, recording, Path("/data/r"), request, created_s, steps)


async def test_a_job_comes_back_as_it_was(store: JobStore) -> None:
    before = job("j", "a", "b")
    step = before.steps[0]
    step.state, step.seconds, step.outputs, step.attempts = "done", 1.5, {"out": "results/j/a"}, 2
    step.progress, step.log, before.state = 1.0, Log(["one", "two"]), "running"
    step.not_before_s, step.cpu_s, step.peak_memory_bytes = 1.79e9 + 0.25, 2.5, 5_000_000_000
    before.name, before.priority, before.queued_at_s, before.moved_at_s = "最好的", "front", 2.5, 3.5
    await store.save(before)
    after = await store.load("j")
    assert after is not None
    assert after.view() == before.view()
    assert (after.folder, after.steps[0].spec, after.steps[0].attempts) == (before.folder, step.spec, 2)
    assert (after.name, after.priority, after.queued_at_s, after.moved_at_s) == ("最好的", "front", 2.5, 3.5)
    assert (after.steps[0].not_before_s, after.steps[0].peak_memory_bytes) == (1.79e9 + 0.25, 5_000_000_000)
    assert await store.load("other") is None


async def test_saving_again_replaces_state_and_adds_steps(store: JobStore) -> None:
    first = job("j", "a")
    await store.save(first)
    first.steps += job("j", "b", "c").steps
    first.steps[0].state = "failed"
    await store.save(first)
    after = await store.load("j")
    assert after is not None
    assert [(step.spec.name, step.state) for step in after.steps] == [("a", "failed"), ("b", "queued"), ("c", "queued")]


async def test_of_many_saves_at_once_the_last_state_stays(store: JobStore) -> None:
    one = job("j", *map(str, range(20)))

    async def end(step: Step) -> None:
        step.state = "done"
        await store.save(one)

    await asyncio.gather(*map(end, one.steps))
    after = await store.load("j")
    assert after is not None
    assert {step.state for step in after.steps} == {"done"}


async def test_unfinished_jobs_are_found_oldest_first(store: JobStore) -> None:
    for name, state, created_s in (
        ("a", "running", 3.0),
        ("b", "done", 1.0),
        ("c", "queued", 2.0),
        ("d", "failed", 0.0),
    ):
        one = job(name, "s", created_s=created_s)
        one.state = state  # type: ignore[assignment]
        await store.save(one)
    assert [one.id for one in await store.unfinished()] == ["c", "a"]


async def test_finished_steps_are_found_by_key_in_their_recording(store: JobStore) -> None:
    for name, recording, state in (("a", "r", "done"), ("b", "other", "done"), ("c", "r", "running")):
        one = job(name, "s", recording=recording)
        one.steps[0].state, one.steps[0].outputs = state, {"out": name}  # type: ignore[assignment]
        await store.save(one)
    assert await store.done("r", "key-s") == [{"out": "a"}]
    assert await store.done("r", "key-t") == []


async def test_deleting_takes_the_steps_along(store: JobStore) -> None:
    one = job("a", "s")
    one.steps[0].state = "done"
    await store.save(one)
    await store.save(job("b", "s", recording="other"))
    await store.delete("r")
    assert await store.of_recording("r") == []
    assert await store.done("r", "key-s") == []
    assert len(await store.of_recording("other")) == 1


async def test_jobs_of_several_recordings_come_at_once(store: JobStore) -> None:
    for name, recording, created_s in (("a", "r", 2.0), ("b", "s", 1.0), ("c", "r", 1.0), ("d", "t", 1.0)):
        await store.save(job(name, "x", recording=recording, created_s=created_s))
    found = await store.of_recordings(["r", "s", "none"])
    assert {recording: [one.id for one in jobs] for recording, jobs in found.items()} == {"r": ["c", "a"], "s": ["b"]}
    assert await store.of_recordings([]) == {}


async def test_lists_come_without_logs_which_stay_where_they_are(store: JobStore) -> None:
    one = job("j", "a")
    one.steps[0].log = Log(["one", "two"])
    await store.save(one)
    (listed,) = (await store.of_recordings(["r"]))["r"]
    assert listed.steps[0].log.tail() == []
    (whole,) = await store.of_recording("r")
    assert whole.steps[0].log.tail() == ["one", "two"]
