"""Tests of jobs in the database, SQLite and PostgreSQL."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from vmeet_core.database import Database, DatabaseUnavailable
from vmeet_core.pipeline.job import Job, Log, Step
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import ProcessRequest, State


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
    assert await store.done("r", ["key-s", "key-t"]) == {"key-s": [{"out": "a"}]}
    assert await store.done("r", ["key-t"]) == {}


async def test_deleting_takes_the_steps_along(store: JobStore) -> None:
    one = job("a", "s")
    one.steps[0].state = "done"
    await store.save(one)
    await store.save(job("b", "s", recording="other"))
    await store.delete("r")
    assert await store.of_recording("r") == []
    assert await store.done("r", ["key-s"]) == {}
    assert len(await store.of_recording("other")) == 1


def nobody(job_id: str) -> None:
    """No job is active."""


async def test_jobs_of_several_recordings_come_at_once(store: JobStore) -> None:
    for name, recording, created_s in (("a", "r", 2.0), ("b", "s", 1.0), ("c", "r", 1.0), ("d", "t", 1.0)):
        await store.save(job(name, "x", recording=recording, created_s=created_s))
    found = await store.views(["r", "s", "none"], logs=False, active=nobody)
    assert {recording: [one.id for one in jobs] for recording, jobs in found.items()} == {"r": ["c", "a"], "s": ["b"]}
    assert await store.views([], logs=False, active=nobody) == {}


@pytest.mark.parametrize("state", ["running", "done"])
async def test_lists_come_without_logs_which_stay_where_they_are(store: JobStore, state: State) -> None:
    one = job("j", "a", "b")
    one.state = state
    one.steps[0].log = Log(["one", "two"])
    await store.save(one)
    (listed,) = (await store.views(["r"], logs=False, active=nobody))["r"]
    assert [step.log_tail for step in listed.steps] == [[], []]
    (whole,) = (await store.views(["r"], logs=True, active=nobody))["r"]
    assert whole == one.view()
    (loaded,) = await store.of_recording("r")
    assert loaded.steps[0].log.tail() == ["one", "two"]


async def test_of_an_active_job_its_view_is_shown_and_not_what_was_written(store: JobStore) -> None:
    one = job("j", "a")
    await store.save(one)
    one.steps[0].progress = 0.5
    (shown,) = (await store.views(["r"], logs=True, active={"j": one.view()}.get))["r"]
    assert shown.steps[0].progress == 0.5


async def test_a_job_that_has_ended_gets_another_name(store: JobStore) -> None:
    one = job("j", "a")
    one.state = "done"
    await store.save(one)
    renamed = await store.rename("j", "最好的")
    assert renamed is not None
    assert renamed.name == "最好的"
    (listed,) = (await store.views(["r"], logs=False, active=nobody))["r"]
    loaded = await store.load("j")
    assert loaded is not None
    assert (listed.name, loaded.name) == ("最好的", "最好的")
    assert await store.rename("absent", "x") is None


@contextlib.contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Beginnings of all that is said to the database, once for each row."""
    said: list[str] = []
    engine = database._connections.engine.sync_engine

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        said.extend([" ".join(statement.split()[:3])] * (len(parameters) if many else 1))

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


async def test_only_rows_that_changed_are_written(store: JobStore, database: Database) -> None:
    one = job("j", *map(str, range(20)))
    one.state = "running"
    await store.save(one)
    with statements(database) as said:
        one.steps[3].state = "done"
        one.steps[5].log.add("a line")
        await store.save(one)
    assert sorted(each for each in said if "steps" in each) == ["UPDATE steps SET", "UPDATE steps SET"]
    one.steps[4:6] = [Step(one.steps[4].spec, key="other")]  # what follows moves up
    del one.steps[8:]
    await store.save(one)
    after = await store.load("j")
    assert after is not None
    assert [(step.spec.name, step.key, step.state) for step in after.steps] == [
        (step.spec.name, step.key, step.state) for step in one.steps
    ]


async def test_after_a_write_that_failed_everything_is_written(
    store: JobStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what of it is there."""
    one = job("j", *map(str, range(4)))
    await store.save(one)
    write = database.write

    async def failing(work: Any, patience_s: float) -> None:
        async def fails(session: Any) -> None:
            await work(session)
            raise DatabaseUnavailable("gone")

        await write(fails, patience_s)

    one.steps[0].state = "running"
    with monkeypatch.context() as patch:
        patch.setattr(database, "write", failing)
        with pytest.raises(DatabaseUnavailable):
            await store.save(one)
    one.steps[0].state = "queued"
    one.steps[1].state = "done"
    await store.save(one)
    after = await store.load("j")
    assert after is not None
    assert [step.state for step in after.steps] == ["queued", "done", "queued", "queued"]


async def test_all_files_of_a_recording_are_known(store: JobStore) -> None:
    for name, recording in (("a", "r"), ("b", "r"), ("c", "s")):
        one = job(name, "x", recording=recording)
        one.steps[0].outputs = {"out": f"results/{name}/x"}
        await store.save(one)
    assert await store.files("r") == {"results/a/x", "results/b/x"}
