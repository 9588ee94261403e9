"""REST: choices, meetings, access, recordings."""

import asyncio
import contextlib
import json
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from material import RecordingMaker, tone
from yarl import URL

from vmeet_core.database import DatabaseUnavailable
from vmeet_core.manifest import MANIFEST_NAME, Joined, Started, encode
from vmeet_core.meetings import Choices, new_meeting
from vmeet_core.recording.recorder import Recorder
from vmeet_core.search import Phrase
from vmeet_core.server.app import HALL
from vmeet_core.server.store import Store


async def test_choices_list_presets_and_schemas(client: Any) -> None:
    choices = await (await client.get("/api/choices")).json()
    assert "plain" in choices["presets"]
    assert set(choices["providers"]) == {"frame_filters", "video_enhancers", "transcribers", "denoisers"}
    for providers in choices["providers"].values():
        for provider in providers:
            assert provider["options_schema"]["type"] == "object"
            assert provider["allowed"] == (provider["reason"] is None)


async def test_a_meeting_is_created_and_shown(client: Any, new_meeting: Any) -> None:
    meeting = await new_meeting("週會")
    assert meeting["url"] == f"/m/{meeting['id']}"
    shown = await (await client.get(f"/api/meetings/{meeting['id']}")).json()
    assert (shown["title"], shown["people"], shown["recording"]) == ("週會", 0, False)
    assert "host_key" not in shown


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ("nonsense", "bad-body", None),
        ({"preset": "plain"}, "bad-body", "title"),
        ({"title": "  ", "preset": "plain"}, "bad-body", "title"),
        ({"title": "x" * 500, "preset": "plain"}, "bad-body", "title"),
        ({"title": "t", "preset": "fancy"}, "unknown-preset", "preset"),
        ({"title": "t", "preset": "plain", "choices": {"denoiser": "nothing"}}, "bad-choice", "choices.denoiser"),
        ({"title": "t", "preset": "plain", "choices": {"colour": 1}}, "bad-body", "choices.colour"),
        (
            {"title": "t", "preset": "plain", "choices": {"frame_filters": ["brightness", "brigthness"]}},
            "bad-choice",
            "choices.frame_filters[1]",
        ),
    ],
)
async def test_a_bad_meeting_names_its_field(client: Any, body: Any, code: str, field: str | None) -> None:
    answer = await client.post("/api/meetings", **({"data": body} if isinstance(body, str) else {"json": body}))
    error = (await answer.json())["error"]
    assert (answer.status, error["code"], error.get("field")) == (422, code, field)


@pytest.mark.parametrize(
    "path", ["/api/meetings/x", "/api/recordings/x", "/api/recordings/x/files/results/a", "/api/nothing"]
)
async def test_what_is_not_there_is_404_in_json(client: Any, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 404
    assert (await answer.json())["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/m/abc", "/recordings", "/recordings/abc", "/static/js/protocol.js"])
async def test_pages_are_served_with_a_strict_policy(client: Any, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_changes_from_another_site_are_refused(client: Any) -> None:
    answer = await client.post(
        "/api/meetings", json={"title": "t", "preset": "plain"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status == 403


async def test_an_access_key_guards_all_but_meetings(make_client: Any) -> None:
    client = await make_client(access_key="open sesame")
    assert (await client.get("/api/recordings")).status == 401
    assert (await client.post("/api/meetings", json={"title": "t", "preset": "plain"})).status == 401
    assert (await client.get("/api/events")).status == 401
    wrong = await client.post("/api/login", json={"key": "x"})
    assert (wrong.status, (await wrong.json())["error"]["code"]) == (401, "wrong-key")
    right = await client.post("/api/login", json={"key": "open sesame"})
    assert right.status == 200
    assert "open sesame" not in str(right.cookies)
    assert (await client.get("/api/recordings")).status == 200
    created = await (await client.post("/api/meetings", json={"title": "t", "preset": "plain"})).json()
    client.session.cookie_jar.clear()
    assert (await client.get(f"/api/meetings/{created['id']}")).status == 200


async def test_a_public_address_without_a_key_makes_one_and_keeps_it(make_client: Any, tmp_path: Any) -> None:
    client = await make_client(bind="0.0.0.0:0")
    assert (await client.get("/api/recordings")).status == 401
    key = (tmp_path / "data" / "access_key").read_text().strip()
    assert len(key) >= 16
    assert (tmp_path / "data" / "access_key").stat().st_mode & 0o077 == 0
    second = await make_client(bind="0.0.0.0:0")
    assert (await second.post("/api/login", json={"key": key})).status == 200


@pytest.mark.parametrize("host", ["x:y:z", "a b", ""])
async def test_a_host_that_is_none_is_not_this_machine(client: Any, host: str) -> None:
    assert (await client.get("/api/recordings", headers={"Host": host})).status == 401


@pytest.mark.parametrize("headers", [{"Host": "meet.example.org"}, {"X-Forwarded-For": "203.0.113.7"}])
async def test_through_a_proxy_the_key_is_asked_for(client: Any, tmp_path: Any, headers: dict[str, str]) -> None:
    assert (await client.get("/api/recordings")).status == 200
    assert (await client.get("/api/recordings", headers=headers)).status == 401
    key = (tmp_path / "data" / "access_key").read_text().strip()
    answer = await client.post("/api/login", json={"key": key}, headers=headers)
    cookie = answer.cookies["vmeet_access"].value
    allowed = await client.get("/api/recordings", headers=headers, cookies={"vmeet_access": cookie})
    assert allowed.status == 200


async def test_meetings_survive_a_restart(make_client: Any) -> None:
    first = await make_client()
    created = await (await first.post("/api/meetings", json={"title": "t", "preset": "plain"})).json()
    await first.close()
    second = await make_client()
    assert (await second.get(f"/api/meetings/{created['id']}")).status == 200


async def test_a_recording_whose_plugin_has_gone_is_kept_and_says_why(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices(denoiser="gone"))
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r1", meeting, 1.7e9)
    folder = hall.recordings_dir / "r1"
    folder.mkdir(parents=True)
    started = Started(at_s=1.7e9, recording_id="r1", meeting_id=meeting.id, title="t")
    joined = Joined(at_s=1.7e9 + 3, participant_id="p", name="Anna")
    (folder / MANIFEST_NAME).write_bytes(encode(started) + encode(joined))
    await hall.recover()
    shown = await (await client.get("/api/recordings/r1")).json()
    assert (shown["state"], shown["people"], shown["duration_s"]) == ("recorded", ["Anna"], 3.0)
    assert "stopped while it recorded" in shown["note"]
    assert "gone" in shown["note"]


async def test_a_recording_whose_journal_is_damaged_does_not_keep_the_server_down(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r2", meeting, 1.7e9)
    await hall.recover()
    shown = await (await client.get("/api/recordings/r2")).json()
    assert "journal cannot be read" in shown["note"]
    assert (await client.delete("/api/recordings/r2")).status == 204
    assert (await client.get("/api/recordings/r2")).status == 404


@pytest.mark.parametrize(
    "path",
    ["../../vmeet.sqlite3", "results/../../../vmeet.sqlite3", "manifest.json", "results/..%2f..%2fx", "%2e%2e/x"],
)
async def test_files_outside_the_results_are_not_served(client: Any, path: str) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r3", meeting, 1.7e9)
    (hall.recordings_dir / "r3").mkdir(parents=True)
    (hall.recordings_dir / "r3" / "manifest.json").write_text("{}")
    answer = await client.get(URL(f"/api/recordings/r3/files/{path}", encoded=True))
    assert answer.status == 404


async def test_a_result_is_served_in_ranges_and_saved_under_its_title(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("週會", "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r4", meeting, 1.7e9)
    (hall.recordings_dir / "r4" / "results").mkdir(parents=True)
    (hall.recordings_dir / "r4" / "results" / "a.mp4").write_bytes(bytes(range(100)))
    part = await client.get("/api/recordings/r4/files/results/a.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status, await part.read()) == (206, bytes(range(10, 20)))
    saved = await client.get("/api/recordings/r4/files/results/a.mp4?download=1")
    assert unquote(saved.headers["Content-Disposition"]).endswith("''週會-r4-a.mp4")


async def test_recordings_are_told_to_open_pages(client: Any) -> None:
    hall = client.app[HALL]
    async with client.get("/api/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        await stream.content.readuntil(b"\n\n")
        meeting = new_meeting("t", "plain", Choices())
        await hall.store.add_meeting(meeting)
        await hall.store.add_recording("r5", meeting, 1.7e9)
        await hall.tell("r5")
        event = (await stream.content.readuntil(b"\n\n")).decode()
    assert event.startswith("event: recording\ndata: ")
    assert json.loads(event.partition("data: ")[2])["id"] == "r5"


async def until_processed(client: Any, recording_id: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            shown: dict[str, Any] = await (await client.get(f"/api/recordings/{recording_id}")).json()
            if shown["jobs"] and all(job["state"] not in ("queued", "running") for job in shown["jobs"]):
                return shown
            await asyncio.sleep(0.2)


async def test_a_job_can_be_named_hurried_read_and_made_whole_again(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    maker = RecordingMaker(hall.recordings_dir / "r6")
    maker.join("ann")
    maker.sound("ann", 0.0, 1.0, tone())
    folder = maker.write(1.0)
    await hall.store.add_recording("r6", meeting, 1.7e9)
    await hall.store.finish_recording("r6", 1.0, ["ann"], None)
    answer = await client.post("/api/recordings/r6/jobs", json={"denoiser": None, "name": " plain sound "})
    made = await answer.json()
    assert (answer.status, made["name"], made["priority"]) == (201, "plain sound", "later")
    path = f"/api/jobs/{made['id']}"
    assert (await client.post(f"{path}/front")).status == 204
    assert (await client.patch(path, json={"name": "原音"})).status == 204
    assert (await client.patch(path, json={"name": "x" * 81})).status == 422
    (job,) = (await until_processed(client, "r6"))["jobs"]
    assert (job["state"], job["name"], job["priority"], job["missing"]) == ("done", "原音", "front", [])
    assert job["cost"]["cpu_s"] == pytest.approx(sum(each["cost"]["cpu_s"] for each in job["steps"]), abs=0.01)
    assert job["cost"]["peak_memory_bytes"] > 10_000_000
    log = await client.get(f"{path}/steps/audio:ann/log")
    assert (log.status, log.content_type) == (200, "text/plain")
    assert "Sound of Ann, try 1" in await log.text()
    assert (await client.get(f"{path}/steps/absent/log")).status == 404

    (folder / job["results"]["thumbnail"]).unlink()
    (job,) = (await until_processed(client, "r6"))["jobs"]
    assert job["missing"] == ["thumbnail"]
    assert "thumbnail" not in job["results"]
    assert (await client.post(f"{path}/retry")).status == 204
    (job,) = (await until_processed(client, "r6"))["jobs"]
    assert (job["missing"], (folder / job["results"]["thumbnail"]).is_file()) == ([], True)


@pytest.mark.parametrize("call", ["front", "retry", "cancel"])
async def test_a_job_that_is_not_there_is_404(client: Any, call: str) -> None:
    assert (await client.post(f"/api/jobs/absent/{call}")).status == 404
    assert (await client.patch("/api/jobs/absent", json={"name": ""})).status == 404


async def recorded(client: Any, name: str, title: str, started_at_s: float, said: list[Phrase]) -> None:
    hall = client.app[HALL]
    meeting = new_meeting(title, "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording(name, meeting, started_at_s)
    await hall.store.finish_recording(name, 60.0, ["王小明"], None)
    await hall.store.set_transcript(name, "job", said)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_recordings_are_found_by_what_was_said(
    make_client: Any, request: pytest.FixtureRequest, kind: str
) -> None:
    url = request.getfixturevalue("postgresql_server").make_database() if kind == "postgresql" else ""
    client = await make_client(database=url)
    await recorded(client, "r1", "週會", 1.0, [Phrase("大家早安", "王小明", 4.5, 6.0, "zh")])
    await recorded(client, "r2", "Plan", 2.0, [])
    everything = await (await client.get("/api/recordings")).json()
    assert [each["id"] for each in everything["recordings"]] == ["r2", "r1"]
    assert everything["total"] == 2
    assert "hits" not in everything["recordings"][0]
    second = await (await client.get("/api/recordings", params={"limit": "1", "offset": "1"})).json()
    assert ([each["id"] for each in second["recordings"]], second["total"], second["offset"]) == (["r1"], 2, 1)
    found = await (await client.get("/api/recordings", params={"q": "早安"})).json()
    (only,) = found["recordings"]
    assert (only["id"], found["total"]) == ("r1", 1)
    place = {"participant": "王小明", "start_s": 4.5, "end_s": 6.0, "language": "zh", "source": "job"}
    assert only["hits"] == [{"text": "大家早安", "marks": [[2, 4]], **place}]
    nothing = await (await client.get("/api/recordings", params={"q": "!?"})).json()
    assert (nothing["recordings"], nothing["total"]) == ([], 0)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "sort=title", "q=" + "a" * 201])
async def test_a_list_that_cannot_be_had_is_told(client: Any, query: str) -> None:
    answer = await client.get(f"/api/recordings?{query}")
    assert answer.status == 422
    error = (await answer.json())["error"]
    assert (error["code"], error["field"]) == ("bad-query", query.partition("=")[0])


async def test_a_database_that_is_locked_is_told_and_asked_again(client: Any, tmp_path: Path) -> None:
    """Reading goes on, writing waits, pages hear of it, and the meeting is there in the end."""
    stream = await client.get("/api/events")
    assert await stream.content.readline() == b": hello\n"
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vmeet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        posting = asyncio.create_task(client.post("/api/meetings", json={"title": "t", "preset": "plain"}))
        lines = []
        while not any(line.startswith(b"data:") for line in lines):
            lines.append(await asyncio.wait_for(stream.content.readline(), 20))
        assert lines[-2:] == [b"event: database\n", b'data: {"waiting": true}\n']
        assert (await (await client.get("/api/health")).json())["database"] == "waiting"
        assert (await client.get("/api/recordings")).status == 200
        assert not posting.done()
    created = await (await asyncio.wait_for(posting, 20)).json()
    assert (await client.get(f"/api/meetings/{created['id']}")).status == 200
    assert (await (await client.get("/api/health")).json())["database"] == "ok"
    stream.close()


async def test_a_page_does_not_wait_for_ever(client: Any, tmp_path: Path) -> None:
    client.app[HALL].store._database.patience.hurry(0.5)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vmeet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await client.post("/api/meetings", json={"title": "t", "preset": "plain"})
    assert answer.status == 503
    assert (await answer.json())["error"]["code"] == "database-unavailable"


async def test_a_recording_that_the_database_never_heard_of_is_entered(client: Any) -> None:
    """The server was killed while the database was locked."""
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    for name, meeting_id in (("r5", meeting.id), ("r6", "unknown")):
        folder = hall.recordings_dir / name
        folder.mkdir(parents=True)
        started = Started(at_s=1.7e9, recording_id=name, meeting_id=meeting_id, title="t")
        joined = Joined(at_s=1.7e9 + 3, participant_id="p", name="Anna")
        (folder / MANIFEST_NAME).write_bytes(encode(started) + encode(joined))
    (hall.recordings_dir / "r7").mkdir()
    (hall.recordings_dir / "r7" / MANIFEST_NAME).write_text("no journal")
    await hall.recover()
    listed = (await (await client.get("/api/recordings")).json())["recordings"]
    assert [(each["id"], each["started_at_s"], each["duration_s"], each["people"]) for each in listed] == [
        ("r5", 1.7e9, 3.0, ["Anna"])
    ]


async def test_a_recording_whose_job_was_not_entered_is_processed_by_the_next_server(client: Any) -> None:
    """The server was killed between the two."""
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    for name in ("r8", "r9"):
        await hall.store.add_recording(name, meeting, 1.7e9)
        await hall.store.finish_recording(name, 3.0, ["Anna"], None)
    (hall.recordings_dir / "r8").mkdir(parents=True)
    (hall.recordings_dir / "r8" / MANIFEST_NAME).write_bytes(b"")
    for _ in range(2):
        await hall.recover()
        assert len(await hall.pipeline.jobs("r8")) == 1
    assert not await hall.pipeline.jobs("r9"), "its folder is gone"


async def test_a_server_begins_when_its_database_answers(make_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ended because its disk was full would not be there when there is room again."""
    refused = ["database or disk is full", "database is locked"]
    recordings = Store.recordings

    async def refuse(store: Store, state: str | None = None) -> Any:
        if state == "recording" and refused:
            raise DatabaseUnavailable(refused.pop())
        return await recordings(store, state)

    monkeypatch.setattr(Store, "recordings", refuse)
    client = await make_client()
    assert not refused
    assert (await client.get("/api/recordings")).status == 200


async def test_a_server_that_ends_while_its_database_is_locked_ends(
    make_client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A recording that ends with it is recovered by the next one."""
    first = await make_client()
    hall = first.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    recorder = Recorder(
        hall.recordings_dir / "r1",
        Started(at_s=time.time(), recording_id="r1", meeting_id=meeting.id, title="t"),
        0,
        lambda reason: None,
    )
    await hall._on_recording(meeting, recorder)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vmeet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder.stop("the server ends")
        ending = asyncio.create_task(hall._on_recorded(meeting, recorder, ["Anna"], None))
        await asyncio.wait_for(asyncio.gather(first.close(), ending), 30)
    assert "recording r1 will be looked at at the next start" in caplog.text
    second = await make_client()
    shown = await (await second.get("/api/recordings/r1")).json()
    assert shown["state"] != "recording"
    assert "stopped while it recorded" in shown["note"]


async def test_a_job_has_the_layout_and_the_files_that_were_asked_for(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r6", meeting, 1.7e9)
    await hall.store.finish_recording("r6", 1.0, [], None)
    (hall.recordings_dir / "r6").mkdir(parents=True)
    asked = {"layout": "speaker", "files": "per-person"}
    answer = await client.post("/api/recordings/r6/jobs", json=asked)
    assert answer.status == 201
    assert asked.items() <= (await answer.json())["request"].items()
    plain = await (await client.post("/api/recordings/r6/jobs", json={})).json()
    assert (plain["request"]["layout"], plain["request"]["files"]) == (None, "meeting")
    for wrong in ({"layout": "mosaic"}, {"files": "some"}):
        refused = await client.post("/api/recordings/r6/jobs", json=wrong)
        assert refused.status == 422
        assert (await refused.json())["error"]["field"] == next(iter(wrong))


async def test_a_meeting_chooses_its_layout_over_the_presets(client: Any) -> None:
    choices = await (await client.get("/api/choices")).json()
    assert "layout" in choices["fields"]
    made = await client.post("/api/meetings", json={"title": "t", "preset": "plain", "choices": {"layout": "speaker"}})
    hall = client.app[HALL]
    meeting = await hall.store.meeting((await made.json())["id"])
    assert hall.preset_of(meeting).layout == "speaker"
    wrong = await client.post("/api/meetings", json={"title": "t", "preset": "plain", "choices": {"layout": "x"}})
    assert (wrong.status, (await wrong.json())["error"]["field"]) == (422, "choices.layout")
