"""Uploads by tus: what a program may do, and what becomes of the file."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from material import beep, write_opus
from tus_client import PART, TUS, checksum, code, create, metadata, offset, send, upload

from vmeet_core.server import uploads
from vmeet_core.server.app import HALL, UPLOADS

Configure = Callable[..., Awaitable[Any]]


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    """A second of sound."""
    write_opus(tmp_path / "film.mkv", 1.0, beep(0.5))
    return (tmp_path / "film.mkv").read_bytes()


async def ready(client: Any, recording_id: str, state: str = "ready") -> dict[str, Any]:
    """The recording once its job has ended."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = await (await client.get(f"/api/recordings/{recording_id}")).json()
            if found.get("state") in ("ready", "failed"):  # 404 while it is looked at
                assert found["state"] == state, found
                return found
            await asyncio.sleep(0.05)


def files_of(client: Any, identity: str) -> list[str]:
    folder = client.app[HALL].recordings_dir / identity
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_the_server_says_what_it_knows_of_tus(client: Any) -> None:
    answer = await client.options("/api/uploads")
    assert answer.status == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert answer.headers["Tus-Max-Size"] == "20000000000"
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")


async def test_a_file_becomes_a_recording_that_is_processed_served_and_processed_again(
    client: Any, film: bytes
) -> None:
    identity = await upload(
        client, film, filename="週會 talk.mkv", title="週會", denoiser="none", modified_ms="1700000000000"
    )
    found = await ready(client, identity)
    assert (found["title"], found["people"], found["meeting_id"], found["kept"]) == ("週會", [], None, False)
    assert found["duration_s"] == pytest.approx(1.0, abs=0.1)
    assert found["upload"] == {
        "filename": "週會 talk.mkv",
        "url": f"/api/recordings/{identity}/files/upload/original.mkv",
        "size_bytes": len(film),
    }
    assert {"sound", "mix", "audio:file"} <= set(found["job"]["results"])
    assert "Sound of 週會" in [step["title"] for step in found["job"]["steps"]]
    played = await client.get(f"/api/recordings/{identity}/files/{found['job']['results']['sound']}")
    assert (played.status, len(await played.read()) > 1000) == (200, True)
    original = await client.get(found["upload"]["url"])
    assert await original.read() == film
    assert original.headers["Content-Disposition"].startswith("attachment")  # never a page of this site
    assert (await (await client.get("/api/uploads")).json())["uploads"] == []
    again = await client.post(f"/api/recordings/{identity}/jobs", json={"denoiser": None})
    assert again.status == 201
    assert len((await ready(client, identity))["jobs"]) == 2


async def test_it_goes_on_after_a_part_and_after_a_restart(configured: Configure, film: bytes) -> None:
    first = await configured()
    address = (await create(first, len(film), filename="a.mkv")).headers["Location"]
    third = len(film) // 3
    part = await send(first, address, 0, film[:third])
    assert (part.status, part.headers["Upload-Offset"]) == (204, str(third))
    assert "GMT" in part.headers["Upload-Expires"]
    (listed,) = (await (await first.get("/api/uploads")).json())["uploads"]
    assert (listed["filename"], listed["offset_bytes"], listed["state"]) == ("a.mkv", third, "waiting")
    assert await code(await send(first, address, 5, film[5:])) == (409, "wrong-offset")
    await first.close()
    second = await configured()
    asked = await second.head(address, headers=TUS)
    assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (str(third), str(len(film)))
    assert asked.headers["Upload-Metadata"] == metadata(filename="a.mkv")
    assert asked.headers["Cache-Control"] == "no-store"
    assert (await send(second, address, third, film[third:])).status == 204
    found = await ready(second, address.rpartition("/")[2])
    assert found["title"] == "a"


async def test_all_had_come_when_the_server_ended(configured: Configure, film: bytes) -> None:
    first = await configured()
    row = await first.app[UPLOADS].create("a.mkv", "a", len(film), None, "", {"denoiser": None})
    await first.close()
    path = first.app[UPLOADS].path(row)
    path.parent.mkdir(parents=True)
    path.write_bytes(film)
    second = await configured()
    await ready(second, row.id)


async def test_a_recording_whose_job_was_not_queued_when_the_server_ended(configured: Configure, film: bytes) -> None:
    first = await configured()
    held = first.app[UPLOADS]
    row = await held.create("a.mkv", "a", len(film), None, "", {"denoiser": None})
    path = held.path(row)
    path.parent.mkdir(parents=True)
    path.write_bytes(film)
    await held.store.adopt(row, "upload/original.mkv", 1.7e9, None)
    await first.close()
    second = await configured()
    found = await ready(second, row.id)
    assert len(found["jobs"]) == 1
    assert found["duration_s"] == pytest.approx(1.0, abs=0.1)  # the first step knows it
    await second.close()
    third = await configured()
    assert len((await ready(third, row.id))["jobs"]) == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", b"just words\n" * 1000),
        ("film.mkv", b"%PDF-1.7 " + os.urandom(9000)),
        ("film.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
        ("film.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n\x00\x01"),
        ("film.mkv", b"\x1aE\xdf\xa3" + os.urandom(20_000)),
        ("noise.bin", bytes(range(128, 256)) * 200),
    ],
)
async def test_what_is_no_media_is_refused_by_its_content(client: Any, name: str, data: bytes) -> None:
    address = (await create(client, len(data), filename=name)).headers["Location"]
    answer = await send(client, address, 0, data)
    assert await code(answer) == (415, "no-media")
    assert "Sound and video files are taken" in (await answer.json())["error"]["message"]
    identity = address.rpartition("/")[2]
    assert (await client.head(address, headers=TUS)).status == 404
    assert (await client.get(f"/api/recordings/{identity}")).status == 404
    assert not (client.app[HALL].recordings_dir / identity).exists()


async def test_the_first_bytes_are_enough_to_refuse(client: Any) -> None:
    address = (await create(client, 10**9, filename="film.mp4")).headers["Location"]
    assert await code(await send(client, address, 0, b"PK\x03\x04" + bytes(100_000))) == (415, "no-media")


async def test_limits_are_said_with_the_remedy(
    configured: Configure, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await configured(uploads={"max_bytes": 1_000_000})
    large = await create(client, 1_000_001, filename="a.mkv")
    assert await code(large) == (413, "too-large")
    assert "0.001 GB" in (await large.json())["error"]["message"]
    assert "uploads.max_bytes" in (await large.json())["error"]["message"]
    address = (await create(client, 100, filename="a.mkv")).headers["Location"]
    assert await code(await send(client, address, 0, film)) == (413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        yield film

    assert await code(await send(client, address, 0, chunks())) == (413, "too-large")
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 1)
    assert await code(await create(client, 100, filename="b.mkv")) == (429, "too-many-uploads")
    none = await configured(uploads={"max_bytes": 0})
    assert await code(await create(none, 1, filename="a.mkv")) == (413, "too-large")


async def test_a_disk_that_is_nearly_full_takes_none(configured: Configure) -> None:
    client = await configured(recording={"min_free_bytes": 10**18})
    answer = await create(client, 100, filename="a.mkv")
    assert await code(answer) == (507, "disk-full")
    assert "recording.min_free_bytes" in (await answer.json())["error"]["message"]


async def test_a_disk_that_gets_full_meanwhile_keeps_what_there_is(configured: Configure, film: bytes) -> None:
    client = await configured()
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    assert (await send(client, address, 0, film[:5000])).status == 204
    await client.close()
    full = await configured(recording={"min_free_bytes": 10**18})
    assert await code(await send(full, address, 5000, film[5000:])) == (507, "disk-full")
    assert await offset(full, address) == 5000


async def test_room_that_others_were_promised_is_not_promised_again(configured: Configure, tmp_path: Path) -> None:
    import shutil

    client = await configured(uploads={"max_bytes": 10**18})
    most = shutil.disk_usage(tmp_path).free * 2 // 3
    assert (await create(client, most, filename="a.mkv")).status == 201
    assert await code(await create(client, most, filename="b.mkv")) == (507, "disk-full")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_part_with_a_checksum_is_kept_whole_or_not_at_all(client: Any, film: bytes, algorithm: str) -> None:
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    wrong = {"Upload-Checksum": checksum(film[1:], algorithm)}
    assert await code(await send(client, address, 0, film, **wrong)) == (460, "wrong-checksum")
    assert await offset(client, address) == 0
    right = {"Upload-Checksum": checksum(film, algorithm)}
    assert (await send(client, address, 0, film, **right)).status == 204
    await ready(client, address.rpartition("/")[2])


async def test_a_part_that_breaks_off_is_kept_as_far_as_it_came(client: Any, film: bytes) -> None:
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]

    headers = PART | {"Upload-Offset": "0", "Content-Length": str(len(film)), "Host": "127.0.0.1"}
    lines = [f"PATCH {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write("\r\n".join(lines).encode() + film[:6000])
    await writer.drain()
    identity = address.rpartition("/")[2]
    async with asyncio.timeout(10):
        while identity not in client.app[UPLOADS]._receiving:
            await asyncio.sleep(0.01)
    writer.close()
    async with asyncio.timeout(10):
        while identity in client.app[UPLOADS]._receiving:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        while await offset(client, address) != 6000:
            await asyncio.sleep(0.02)
    assert (await send(client, address, 6000, film[6000:])).status == 204


async def test_who_comes_back_need_not_wait_for_a_part_that_hangs(client: Any, film: bytes) -> None:
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    hangs = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield film[:7000]
        await hangs.wait()

    old = asyncio.create_task(send(client, address, 0, hanging()))
    identity = address.rpartition("/")[2]
    async with asyncio.timeout(10):
        while identity not in client.app[UPLOADS]._receiving:
            await asyncio.sleep(0.01)
        while (there := await offset(client, address)) == 0:
            await asyncio.sleep(0.01)
    assert there == 7000
    assert (await send(client, address, there, film[there:])).status == 204
    hangs.set()
    await asyncio.gather(old, return_exceptions=True)
    await ready(client, identity)


async def test_only_so_many_parts_at_one_time(client: Any, film: bytes) -> None:
    hangs = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield film[:10]
        await hangs.wait()

    addresses = [(await create(client, 10_000, filename="a.mkv")).headers["Location"] for _ in range(5)]
    held = client.app[UPLOADS]
    tasks = [asyncio.create_task(send(client, address, 0, hanging())) for address in addresses[:4]]
    async with asyncio.timeout(10):
        while len(held._receiving) < uploads.MOST_AT_ONCE:
            await asyncio.sleep(0.01)
    answer = await send(client, addresses[4], 0, b"x")
    assert await code(answer) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    hangs.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_slow_disk_does_not_hold_the_event_loop(
    client: Any, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    begun, may_go_on = threading.Event(), threading.Event()
    write = uploads.Appender.write

    def slow(self: Any, data: bytes) -> None:
        begun.set()
        assert may_go_on.wait(20)
        write(self, data)

    monkeypatch.setattr(uploads.Appender, "write", slow)
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    task = asyncio.create_task(send(client, address, 0, film))
    assert await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(5):
        assert (await client.get("/api/health")).status == 200
    may_go_on.set()
    assert (await task).status == 204


async def test_cancelling_leaves_nothing(client: Any, film: bytes) -> None:
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    await send(client, address, 0, film[:100])
    assert (await client.delete(address, headers=TUS)).status == 204
    assert (await client.head(address, headers=TUS)).status == 404
    assert await code(await send(client, address, 100, film[100:])) == (404, "unknown-upload")
    assert list(client.app[HALL].recordings_dir.iterdir()) == []
    assert await client.app[UPLOADS].store.all(cancelled=True) == []


async def test_what_nobody_goes_on_with_expires(configured: Configure, film: bytes) -> None:
    client = await configured(uploads={"keep_unfinished_h": 1})
    old, new = [(await create(client, len(film), filename="a.mkv")).headers["Location"] for _ in range(2)]
    for address in (old, new):
        await send(client, address, 0, film[:100])
    held = client.app[UPLOADS]
    path = held.path(await held.get(old.rpartition("/")[2]))
    now_s = path.stat().st_mtime + 3601
    held._clock = lambda: now_s
    os.utime(held.path(await held.get(new.rpartition("/")[2])), (path.stat().st_mtime + 60,) * 2)
    await held.tidy()
    assert (await client.head(old, headers=TUS)).status == 404
    assert await offset(client, new) == 100
    assert not path.exists()


async def test_a_cancellation_that_was_cut_short_is_finished_at_the_start(configured: Configure, film: bytes) -> None:
    client = await configured()
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    await send(client, address, 0, film[:100])
    held = client.app[UPLOADS]
    row = await held.get(address.rpartition("/")[2])
    await held.store.cancel(row.id)
    await client.close()
    assert held.path(row).exists()
    second = await configured()
    assert not held.path(row).parent.parent.exists()
    assert await second.app[UPLOADS].store.all(cancelled=True) == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/uploads", {}, 412),
        ("POST", "/api/uploads", {"Tus-Resumable": "0.2.2", "Upload-Length": "5"}, 412),
        ("POST", "/api/uploads", TUS, 400),
        ("POST", "/api/uploads", TUS | {"Upload-Defer-Length": "1"}, 400),
        ("POST", "/api/uploads", TUS | {"Upload-Length": "-5"}, 400),
        ("POST", "/api/uploads", TUS | {"Upload-Length": "0"}, 415),
        ("POST", "/api/uploads", TUS | {"Upload-Length": "5", "Upload-Metadata": "title !"}, 400),
        ("POST", "/api/uploads", TUS | {"Upload-Length": "5", "Upload-Metadata": metadata(denoiser="nothing")}, 422),
        (
            "POST",
            "/api/uploads",
            TUS | {"Upload-Length": "5", "Upload-Metadata": metadata(denoiser="", options="[")},
            422,
        ),
        ("HEAD", "/api/uploads/nothing", TUS, 404),
        ("PATCH", "/api/uploads/nothing", PART | {"Upload-Offset": "0"}, 404),
        ("DELETE", "/api/uploads/nothing", TUS, 404),
        ("POST", "/api/uploads/nothing", TUS, 405),
        ("GET", "/api/uploads/nothing", {}, 404),
    ],
)
async def test_wrong_requests(client: Any, method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = await client.request(method, path, headers=headers)
    assert answer.status == status
    if method != "GET":
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    if status == 412:
        assert answer.headers["Tus-Version"] == "1.0.0"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/octet-stream"},
        {"Upload-Offset": "x"},
        {"Upload-Checksum": "crc32 AAAA"},
        {"Upload-Checksum": "sha1 !"},
    ],
)
async def test_wrong_parts(client: Any, headers: dict[str, str]) -> None:
    address = (await create(client, 100, filename="a.mkv")).headers["Location"]
    answer = await client.patch(address, headers=PART | {"Upload-Offset": "0"} | headers, data=b"x")
    assert answer.status in (400, 415)
    assert await offset(client, address) == 0


async def test_programs_that_know_get_and_post_only(client: Any, film: bytes) -> None:
    address = (await create(client, len(film), filename="a.mkv")).headers["Location"]
    headers = PART | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert (await client.post(address, headers=headers, data=film)).status == 204
    await ready(client, address.rpartition("/")[2])


async def test_names_are_made_harmless(client: Any, film: bytes) -> None:
    identity = await upload(client, film, filename="../../etc/\x00pass<b>wd.html")
    found = await ready(client, identity)
    assert found["upload"]["filename"] == "pass<b>wd.html"
    assert "upload/original" in files_of(client, identity)


async def test_uploads_need_the_key(make_client: Any) -> None:
    client = await make_client(access_key="open sesame")
    assert (await create(client, 5, filename="a.mkv")).status == 401
    assert (await client.get("/api/uploads")).status == 401
