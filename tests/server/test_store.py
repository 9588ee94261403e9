"""Meetings and recordings in the database, SQLite and PostgreSQL. Search has its tests in tests/search."""

from pathlib import Path

import pytest

from vmeet_core.database import Database
from vmeet_core.meetings import Choices, Meeting
from vmeet_core.pipeline.job import Job
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.search import parse_query
from vmeet_core.server.store import Store

MEETING = Meeting("m", "週會", "key", "plain", Choices(denoiser="dtln"))


@pytest.fixture
async def store(database: Database) -> Store:
    store = Store(database)
    await store.add_meeting(MEETING)
    return store


async def test_a_meeting_comes_back_as_it_was(store: Store) -> None:
    found = await store.meeting("m")
    assert found is not None
    assert (found.title, found.host_key, found.preset) == ("週會", "key", "plain")
    assert found.choices.model_dump(exclude_unset=True) == {"denoiser": "dtln"}
    assert await store.meeting("other") is None


async def test_whom_a_host_leaves_out_is_kept_with_the_meeting(store: Store) -> None:
    assert (await store.meeting("m")).kept_out_before == ()  # type: ignore[union-attr]
    live = await store.meeting("m")
    assert live is not None
    ben = live.join("Ben", None, None)
    for left_out in (True, False, True):
        live.leave_out(ben.id, left_out)
        await store.keep_left_out(live)
    found = await store.meeting("m")
    assert found is not None
    assert (found.kept_out_before, found.choices) == (live.kept_out(), MEETING.choices)
    assert found.join("Ben", ben.token, None).consent.left_out == "host"
    await store.keep_left_out(Meeting("unknown", "", "key", "plain", Choices()))
    assert await store.meeting("unknown") is None


async def test_a_recording_from_its_beginning_to_its_deletion(store: Store) -> None:
    await store.add_recording("r", MEETING, 10.5)
    (row,) = await store.recordings(state="recording")
    assert (row.title, row.started_at_s, row.duration_s, row.people, row.note) == ("週會", 10.5, None, [], None)
    await store.finish_recording("r", 7.25, ["Zoë"], "the disk is full")
    assert await store.recordings(state="recording") == []
    found = await store.recording("r")
    assert found is not None
    assert (found.state, found.duration_s, found.people, found.note) == ("recorded", 7.25, ["Zoë"], "the disk is full")
    await store.delete_recording("r")
    assert await store.recording("r") is None
    assert (await store.page(10, 0)).total == 0


async def test_whoever_was_killed_before_the_first_job_was_entered_finds_what_is_left(
    store: Store, database: Database
) -> None:
    names = ("left", "done", "gone")
    for name in (*names, "running"):
        await store.add_recording(name, MEETING, 10.5)
    for name in names:
        await store.finish_recording(name, 7.25, ["Zoë"], "the disk is full")
    await JobStore(database).save(Job("j", "done", Path("done"), ProcessRequest(), 11.0, [], state="failed"))
    await store.begin_deletion("gone")
    assert [row.id for row in await store.without_jobs()] == ["left"]


async def test_everything_bears_being_written_twice(store: Store) -> None:
    """As when the answer to a commit was lost."""
    for _ in range(2):
        await store.add_meeting(MEETING)
        await store.add_recording("r", MEETING, 10.5)
    for _ in range(2):
        await store.finish_recording("r", 7.25, ["Zoë"], None)
        await store.add_note("r", "first")
        await store.add_note("r", "second")
    found = await store.recording("r")
    assert found is not None
    assert found.note == "first; second"
    assert (await store.search(parse_query("zoe"), 10, 0)).total == 1


async def test_notes_may_be_long(store: Store) -> None:
    await store.add_recording("r", MEETING, 10.5)
    await store.add_note("r", "長" * 2000)
    found = await store.recording("r")
    assert found is not None
    assert found.note == "長" * 2000


async def test_people_are_found_only_under_the_names_that_they_have_now(store: Store) -> None:
    await store.add_recording("r", MEETING, 10.5)
    await store.finish_recording("r", 1.0, ["Anna"], None)
    await store.finish_recording("r", 1.0, ["Berta"], None)
    assert (await store.search(parse_query("anna"), 10, 0)).total == 0
    assert (await store.search(parse_query("berta"), 10, 0)).total == 1
