"""A recording as a zip file."""

import asyncio
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import ClientPayloadError

from vmeet_core.meetings import Choices, new_meeting
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.server.app import HALL, WEB
from vmeet_core.server.export import plain_name, zipped
from vmeet_core.server.export_readme import RESULTS
from vmeet_core.server.store import RecordingRow

FILES = {
    "manifest.json": b"{}\n",
    "segments/ann-1.mkv": bytes(range(256)) * 1000,
    "results/j1/meeting.mp4": b"film" * 50_000,
    "results/j1/audio-1-王.flac": b"",
}


def is_open(name: str) -> bool:
    """Whether this process reads a file of that name."""
    return any(name in str(path.resolve()) for path in Path("/proc/self/fd").iterdir())


async def add(client: Any, identity: str = "20261126-054832-abcdef12", title: str = "週會: 1/2") -> Path:
    hall = client.app[HALL]
    meeting = new_meeting(title, "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording(identity, meeting, 1.79e9)
    await hall.store.finish_recording(identity, 60.0, ["王小明", "Ann"], None)
    folder = Path(hall.recordings_dir / identity)
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "results/j1/.3.partial").mkdir()
    (folder / "results/j1/.3.partial/mix.flac").write_bytes(b"half")
    return folder


async def test_everything_is_in_it_and_its_length_is_known(client: Any) -> None:
    await add(client)
    answer = await client.get("/api/recordings/20261126-054832-abcdef12/export")
    data = await answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    assert int(answer.headers["Content-Length"]) == len(data)
    assert (
        unquote(answer.headers["Content-Disposition"]) == "attachment; filename*=UTF-8''週會_ 1_2-20261126-054832.zip"
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        top = "週會_ 1_2-20261126-054832"
        assert {name: archive.read(f"{top}/{name}") for name in FILES} == FILES
        assert set(archive.namelist()) == {f"{top}/{name}" for name in (*FILES, "README.txt", "recording.json")}
        assert all(each.compress_type == zipfile.ZIP_STORED for each in archive.infolist())
        about = json.loads(archive.read(f"{top}/recording.json"))
        assert (about["title"], about["people"]) == ("週會: 1/2", ["王小明", "Ann"])
        text = archive.read(f"{top}/README.txt").decode("utf-8-sig")
    assert "這個壓縮檔是 VMeet 錄影的全部內容。" in text
    assert "This archive holds everything" in text
    assert "segments/" in text
    assert "upload/" not in text


def test_the_readme_says_which_result_is_what(tmp_path: Path) -> None:
    (tmp_path / "results/j1").mkdir(parents=True)
    (tmp_path / "results/j1/meeting.mp4").write_bytes(b"x")
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload/original.mp4").write_bytes(b"x")
    row = RecordingRow(id="r", title="", started_at_s=0.0, people=[], duration_s=None, filename="a.mp4")
    results = {"video": "results/j1/meeting.mp4", "mix": "results/j1/gone.flac"}
    request = ProcessRequest(denoiser="dtln", transcriber="whisper")
    job = JobView(id="j1", recording_id="r", state="done", created_at_s=0, request=request, steps=[], results=results)
    archive = zipped(tmp_path, row, [job], {})
    data = b"".join(archive)
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        text = read.read("recording-r/README.txt").decode("utf-8-sig")
    assert "results/j1/meeting.mp4\r\n        影片 / the video" in text
    assert "gone.flac" not in text
    assert "降噪：dtln" in text
    assert "denoiser: dtln, transcriber: whisper" in text
    assert "the file as it was uploaded" in text


def test_every_result_that_the_page_names_is_explained() -> None:
    texts = (WEB / "js" / "i18n" / "en-results.js").read_text(encoding="utf-8")
    assert set(re.findall(r'"file\.([\w-]+)"', texts)) == set(RESULTS)


def test_more_than_four_gigabytes_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    with (tmp_path / "segments/large.mkv").open("wb") as file:
        file.truncate(4 * 2**30 + 12_345)  # takes no room on the disk
    (tmp_path / "segments/z.mkv").write_bytes(b"after it")
    row = RecordingRow(id="r", title="t", started_at_s=0.0, people=[], duration_s=None)
    archive = zipped(tmp_path, row, [], {})
    with (tmp_path / "made.zip").open("wb") as file:
        largest = 0
        for part in archive:
            largest = max(largest, len(part))
            if part.count(0) == len(part):
                file.seek(len(part), 1)  # keep it sparse
            else:
                file.write(part)
        assert file.tell() == len(archive)
    assert largest <= 8 << 20
    with zipfile.ZipFile(tmp_path / "made.zip") as read:
        assert read.getinfo("t-r/segments/large.mkv").file_size == 4 * 2**30 + 12_345
        assert read.read("t-r/segments/z.mkv") == b"after it"


async def test_it_is_not_there_while_it_is_recorded(client: Any) -> None:
    hall = client.app[HALL]
    meeting = new_meeting("t", "plain", Choices())
    await hall.store.add_meeting(meeting)
    await hall.store.add_recording("r1", meeting, 1.79e9)
    answer = await client.get("/api/recordings/r1/export")
    assert (answer.status, (await answer.json())["error"]["code"]) == (409, "still-recording")
    assert (await client.get("/api/recordings/nothing/export")).status == 404


async def test_the_length_may_be_asked_for_alone(client: Any) -> None:
    await add(client)
    answer = await client.head("/api/recordings/20261126-054832-abcdef12/export")
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) > 400_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc")
async def test_a_browser_that_goes_ends_it(client: Any) -> None:
    folder = await add(client)
    with (folder / "segments/large.mkv").open("wb") as file:
        file.truncate(2**30)
    answer = await client.get("/api/recordings/20261126-054832-abcdef12/export")
    async with asyncio.timeout(20):
        while not is_open("large.mkv"):
            await answer.content.readexactly(1000)
        answer.close()
        while is_open("large.mkv"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("change", ["goes", "shrinks"])
async def test_a_file_that_changes_meanwhile_breaks_it_off(client: Any, change: str) -> None:
    folder = await add(client)
    with (folder / "segments/large.mkv").open("wb") as file:
        file.truncate(2**28)
    (folder / "segments/z.mkv").write_bytes(b"after it")
    answer = await client.get("/api/recordings/20261126-054832-abcdef12/export")
    await answer.content.readexactly(1000)
    if change == "goes":
        (folder / "segments/z.mkv").unlink()
    else:
        (folder / "segments/z.mkv").write_bytes(b"less")
    with pytest.raises((ClientPayloadError, ConnectionResetError)):
        await answer.read()


async def test_only_so_many_at_one_time(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await add(client)
    with (folder / "segments/large.mkv").open("wb") as file:
        file.truncate(2**30)
    path = "/api/recordings/20261126-054832-abcdef12/export"
    answers = [await client.get(path) for _ in range(8)]
    refused = await client.get(path)
    assert refused.status == 503
    for answer in answers:
        answer.close()


@pytest.mark.parametrize(
    ("title", "name"),
    [("a/b\\c", "a_b_c"), ("..", "recording"), ("", "recording"), ("週會", "週會"), ("CON: x?", "CON_ x")],
)
def test_names_that_every_system_takes(title: str, name: str) -> None:
    assert plain_name(title) == name
