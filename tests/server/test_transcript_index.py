"""Tests of transcripts on their way to search: of a job that ends, and of one that ended when the server was killed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from material import RecordingMaker, tone
from transcriber_kinds import TRANSCRIBERS

from vmeet_core.media.transcript import read_transcript
from vmeet_core.meetings import Choices, new_meeting
from vmeet_core.server.app import HALL
from vmeet_core.server.hall import Hall
from vmeet_core.server.transcript_index import TranscriptIndex


@pytest.fixture
async def client(make_client: Any, use_plugin: Callable[[str, str], None]) -> Any:
    use_plugin("fake-transcribers", TRANSCRIBERS)
    return await make_client()


async def recorded(hall: Hall, name: str) -> None:
    """Two seconds in which Ann sounds for one."""
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    maker = RecordingMaker(hall.recordings_dir / name)
    maker.join("ann")
    maker.sound("ann", 0.5, 1.0, tone(500))
    maker.write(2.0)
    await hall.store.add_recording(name, meeting, 1.7e9)
    await hall.store.finish_recording(name, 2.0, ["Ann"], None)


async def processed(client: Any, name: str, **asked: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/recordings/{name}/jobs", json=asked)
    assert answer.status == 201, await answer.text()
    job_id = (await answer.json())["id"]
    async with asyncio.timeout(120):
        while True:
            shown = await (await client.get(f"/api/recordings/{name}")).json()
            job: dict[str, Any] = next(each for each in shown["jobs"] if each["id"] == job_id)
            if job["state"] not in ("queued", "running"):
                return job
            await asyncio.sleep(0.1)


async def hits(client: Any, query: str) -> list[dict[str, Any]]:
    found = await (await client.get("/api/recordings", params={"q": query})).json()
    return [hit for each in found["recordings"] for hit in each["hits"]]


async def found(client: Any, query: str) -> list[dict[str, Any]]:
    """What comes of it soon: it is entered after the job has been told."""
    async with asyncio.timeout(20):
        while not (there := await hits(client, query)):
            await asyncio.sleep(0.05)
    return there


async def test_what_was_said_is_found_with_its_place(client: Any) -> None:
    hall = client.app[HALL]
    await recorded(hall, "r1")
    job = await processed(client, "r1", transcriber="tones", language="zh", script="simplified")
    assert (job["state"], job["request"]["language"], job["request"]["script"]) == ("done", "zh", "simplified")
    transcript = read_transcript(hall.recordings_dir / "r1" / job["results"]["transcript"])
    (said,) = transcript.utterances
    assert (said.text, transcript.people[said.person]) == ("500", "Ann")
    (hit,) = await found(client, "500")
    assert hit["participant"] == "Ann"
    assert (hit["start_s"], hit["source"]) == (pytest.approx(0.5, abs=0.1), job["id"])


async def test_what_a_killed_server_did_not_enter_the_next_one_does(client: Any) -> None:
    hall = client.app[HALL]
    await recorded(hall, "r2")
    job = await processed(client, "r2", transcriber="tones")
    await found(client, "500")
    await hall.store.set_transcript("r2", job["id"], [])
    assert await hits(client, "500") == []
    index = TranscriptIndex(hall.store, hall.recordings_dir)
    await index.enter_missing()
    assert len(await hits(client, "500")) == 1
    assert await hall.store.without_transcripts("transcript") == []


async def test_a_transcript_that_somebody_deleted_is_left_out(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    hall = client.app[HALL]
    await recorded(hall, "r3")
    job = await processed(client, "r3", transcriber="tones")
    await found(client, "500")
    await hall.store.set_transcript("r3", job["id"], [])
    (hall.recordings_dir / "r3" / job["results"]["transcript"]).unlink()
    await TranscriptIndex(hall.store, hall.recordings_dir).enter_missing()
    assert "cannot be found by search" in caplog.text
    assert await hits(client, "500") == []


async def test_a_job_without_a_transcript_has_nothing_to_find(client: Any) -> None:
    hall = client.app[HALL]
    await recorded(hall, "r4")
    job = await processed(client, "r4")
    assert "transcript" not in job["results"]
    assert await hall.store.without_transcripts("transcript") == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"transcriber": "tone"}, "choices.transcriber"),
        ({"transcriber": "tones", "language": "Chinese, I think"}, "language"),
        ({"transcriber": "tones", "script": "cursive"}, "script"),
        ({"transcriber": "tones", "transcribe_from": "memory"}, "transcribe_from"),
        ({"transcriber": "tones", "transcribe_from": "denoised"}, "choices.transcribe_from"),
    ],
)
async def test_what_cannot_be_done_is_refused(client: Any, asked: dict[str, str], field: str) -> None:
    await recorded(client.app[HALL], "r5")
    answer = await client.post("/api/recordings/r5/jobs", json=asked)
    assert answer.status == 422
    assert (await answer.json())["error"]["field"] == field
