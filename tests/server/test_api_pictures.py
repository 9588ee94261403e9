"""Background pictures over HTTP: what is there, what is taken, and what is refused and why."""

import asyncio
import io
import re
import struct
import zlib
from collections import namedtuple
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from vmeet_core.effects.picture_shelf import is_upload_name
from vmeet_core.effects.pictures import BUILT_IN, LARGEST_SIDE_PX, MOST_BYTES, MOST_PIXELS, decode_picture
from vmeet_core.server import api_pictures, picture_store
from vmeet_core.server.api_pictures import MOST_SHOWN, MOST_UPLOADS, PICTURES
from vmeet_core.server.upload_rate import RATE_COUNT, RATE_S

SIDES = ((200, 30, 30), (30, 30, 200))  #: red to the left, blue to the right


def encoded(image: Image.Image, kind: str = "PNG", **given: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **given)
    return data.getvalue()


def halves(width_px: int = 320, height_px: int = 180) -> Image.Image:
    picture = np.empty((height_px, width_px, 3), np.uint8)
    picture[:, : width_px // 2], picture[:, width_px // 2 :] = SIDES
    return Image.fromarray(picture)


def photo() -> bytes:
    """As a phone writes it: lying on its side, with the place where it was taken, and a thumbnail of all of it."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it to the right to stand it up
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (25.0, 2.0, 0.25), 3: "E", 4: (121.0, 33.0, 0.5), 29: "2026:05:04"})
    stored = halves().transpose(Image.Transpose.ROTATE_90)
    return encoded(stored, "JPEG", quality=95, exif=exif, comment=b"Secret comment")


def bomb() -> bytes:
    """A PNG of 400 million pixels in less than 100 bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def half_a_jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    return data[: len(data) // 2]


def body(data: Any) -> Any:
    """aiohttp would rather not send much at once."""
    return io.BytesIO(data) if isinstance(data, bytes) else data


class Meeting(NamedTuple):
    client: Any
    id: str

    async def upload(self, data: Any, **given: Any) -> Any:
        return await self.client.post(f"/api/meetings/{self.id}/pictures", data=body(data), **given)

    async def name_of(self, data: bytes) -> str:
        answer = await self.upload(data)
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["name"])

    async def get(self, name: str, **given: Any) -> Any:
        return await self.client.get(f"/api/pictures/{name}", **given)

    async def seen(self, name: str, **query: Any) -> np.ndarray:
        answer = await self.get(name, params=query)
        assert answer.status == 200, await answer.text()
        return decode_picture(await answer.read())


@pytest.fixture
async def meeting(client: Any, new_meeting: Callable[..., Awaitable[dict[str, Any]]]) -> Meeting:
    return Meeting(client, (await new_meeting())["id"])


async def refusal(answer: Any) -> tuple[int, str, str]:
    error = (await answer.json())["error"]
    return answer.status, error["code"], error["message"]


async def test_our_own_pictures_are_listed_with_their_titles(client: Any) -> None:
    pictures = (await (await client.get("/api/pictures")).json())["pictures"]
    assert [picture["name"] for picture in pictures] == list(BUILT_IN)
    assert pictures[0] == {"name": "studio", "title": {"en": "Studio", "zh-Hant": "攝影棚"}}


@pytest.mark.parametrize("name", BUILT_IN)
async def test_our_own_pictures_are_shown(meeting: Meeting, name: str) -> None:
    answer = await meeting.get(name)
    assert answer.content_type == "image/jpeg"
    assert "immutable" not in answer.headers["Cache-Control"], "another version may draw it differently"
    shown = decode_picture(await answer.read())
    assert np.abs(shown.astype(int) - BUILT_IN[name]()).mean() < 3
    assert (await meeting.seen(name, width_px=320)).shape == (180, 320, 3)


async def test_an_upload_is_kept_and_shown(meeting: Meeting, tmp_path: Path) -> None:
    name = await meeting.name_of(encoded(halves()))
    assert is_upload_name(name)
    shown = await meeting.seen(name)
    assert shown.shape == (180, 320, 3)
    assert np.abs(shown[90, (40, 280)].astype(int) - SIDES).max() < 12
    assert [path.name for path in (tmp_path / "data" / "pictures").iterdir()] == [f"{name}.jpg"]
    listed = (await (await meeting.client.get("/api/pictures")).json())["pictures"]
    assert name not in [picture["name"] for picture in listed], "it is nobody else's business"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_all_types_are_taken_whatever_they_call_themselves(meeting: Meeting, kind: str) -> None:
    answer = await meeting.upload(encoded(halves(), kind), headers={"Content-Type": "text/html"})
    assert answer.status == 201
    shown = await meeting.get((await answer.json())["name"])
    assert shown.content_type == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_same_picture_is_kept_once(meeting: Meeting, tmp_path: Path) -> None:
    assert await meeting.name_of(encoded(halves())) == await meeting.name_of(encoded(halves(), compress_level=0))
    assert await meeting.name_of(encoded(halves(322))) != await meeting.name_of(encoded(halves()))
    assert len(list((tmp_path / "data" / "pictures").iterdir())) == 2


async def test_a_photo_stands_upright_and_forgets_where_it_was_taken(meeting: Meeting) -> None:
    given = photo()
    with Image.open(io.BytesIO(given)) as image:
        assert image.getexif().get_ifd(0x8825)[2] == (25.0, 2.0, 0.25)
    for query in ({}, {"width_px": 100}):
        answer = await meeting.get(await meeting.name_of(given), params=query)
        data = await answer.read()
        shown = decode_picture(data)
        assert shown.shape[1] > shown.shape[0]
        left, right = shown[shown.shape[0] // 2, (5, -5)].astype(int)
        assert np.abs(left - SIDES[0]).max() < 25
        assert np.abs(right - SIDES[1]).max() < 25
        assert not any(word in data for word in (b"Exif", b"Secret", b"2026", b"GPS"))
        with Image.open(io.BytesIO(data)) as image:
            assert dict(image.getexif()) == {}
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_large_pictures_are_kept_smaller(meeting: Meeting) -> None:
    assert (await meeting.seen(await meeting.name_of(encoded(halves(3840, 1000))))).shape == (500, 1920, 3)


@pytest.mark.parametrize(("width_px", "shape"), [(16, (9, 16, 3)), (160, (90, 160, 3)), (1920, (180, 320, 3))])
async def test_a_small_one_is_shown_and_none_is_made_larger(meeting: Meeting, width_px: int, shape: Any) -> None:
    assert (await meeting.seen(await meeting.name_of(encoded(halves())), width_px=width_px)).shape == shape


@pytest.mark.parametrize("width", ["0", "15", "1921", "-320", "320.0", "", "wide", "٣٢٠", "1" * 5000])
async def test_a_width_out_of_bounds_is_refused(meeting: Meeting, width: str) -> None:
    answer = await meeting.get("studio", params={"width_px": width})
    assert await refusal(answer) == (422, "bad-width", "width_px is a whole number from 16 to 1920")
    assert (await answer.json())["error"]["field"] == "width_px"


async def test_browsers_keep_an_upload_for_ever(meeting: Meeting) -> None:
    name = await meeting.name_of(encoded(halves()))
    answer = await meeting.get(name)
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    etag = answer.headers["ETag"]
    again = await meeting.get(name, headers={"If-None-Match": etag})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", etag)
    assert (await meeting.get(name, headers={"If-None-Match": '"another"'})).status == 200
    small = await meeting.get(name, params={"width_px": 100})
    assert small.headers["ETag"] != etag


@pytest.mark.parametrize(
    "name",
    [
        "beach",
        "u" + "0" * 32,
        "..%2Faccess_key",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "studio.jpg",
        "u%00",
        "U" + "0" * 32,
    ],
)
async def test_there_is_no_picture_of_another_name(meeting: Meeting, tmp_path: Path, name: str) -> None:
    (tmp_path / "data" / "access_key.jpg").write_bytes(encoded(halves(), "JPEG"))
    await meeting.name_of(encoded(halves()))
    assert (await meeting.get(name)).status == 404
    path = name.replace("%2e", ".").replace("%2F", "/").replace("%2f", "/")
    assert await raw_status(meeting.client.port, f"GET /api/pictures/{path}") in (400, 404)


async def raw_status(port: int, what: str, *headers: str) -> int:
    """A client that does not tidy up what it asks for, and sends no body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{what} HTTP/1.1", "Host: 127.0.0.1", *headers, "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


@pytest.mark.parametrize(
    ("data", "status", "code", "said"),
    [
        (bomb(), 422, "bad-picture", "limit is 40000000 pixels"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            415,
            "wrong-type",
            "JPEG, PNG, WEBP",
        ),
        (encoded(halves(), "GIF"), 415, "wrong-type", "save it as one of JPEG, PNG, WEBP"),
        (b"", 415, "wrong-type", "no picture"),
        (half_a_jpeg(), 422, "bad-picture", "damaged or incomplete"),
        (bytes(11 << 20), 413, "too-large", "10 MiB"),
    ],
    ids=["bomb", "svg", "gif", "empty", "half", "large"],
)
async def test_what_cannot_be_shown_is_refused(
    meeting: Meeting, tmp_path: Path, data: bytes, status: int, code: str, said: str
) -> None:
    answer = await meeting.upload(data)
    told = await refusal(answer)
    assert told[:2] == (status, code)
    assert said in told[2]
    assert not list((tmp_path / "data").glob("pictures/*"))


async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(meeting: Meeting) -> None:
    sent_bytes = 0

    async def pieces() -> Any:
        nonlocal sent_bytes
        while sent_bytes < 10 * MOST_BYTES:
            yield bytes(1 << 16)
            sent_bytes += 1 << 16
            await asyncio.sleep(0)

    assert (await refusal(await meeting.upload(pieces())))[:2] == (413, "too-large")
    assert sent_bytes < 3 * MOST_BYTES


@pytest.mark.parametrize(("more_bytes", "status"), [(0, 201), (1, 413)])
@pytest.mark.parametrize("in_pieces", [False, True])
async def test_ten_mebibytes_are_taken_and_no_more(
    meeting: Meeting, in_pieces: bool, more_bytes: int, status: int
) -> None:
    picture = encoded(halves()).ljust(MOST_BYTES + more_bytes, b"\0")

    async def pieces() -> Any:
        for start in range(0, len(picture), 1 << 20):
            yield picture[start : start + (1 << 20)]

    assert (await meeting.upload(pieces() if in_pieces else picture)).status == status


async def test_pictures_are_uploaded_for_a_meeting(client: Any) -> None:
    answer = await client.post("/api/meetings/unknown/pictures", data=encoded(halves()))
    assert (await refusal(answer))[:2] == (404, "unknown-meeting")
    assert (await client.post("/api/pictures", data=encoded(halves()))).status == 405


async def test_pages_of_other_sites_upload_nothing(meeting: Meeting) -> None:
    answer = await meeting.upload(encoded(halves()), headers={"Sec-Fetch-Site": "cross-site"})
    assert (await refusal(answer))[:2] == (403, "cross-site")


async def test_what_says_that_it_is_too_large_is_not_waited_for(meeting: Meeting) -> None:
    path, length = f"/api/meetings/{meeting.id}/pictures", f"Content-Length: {11 << 20}"
    statuses = [await raw_status(meeting.client.port, f"POST {path}", length) for _ in range(RATE_COUNT + 1)]
    assert set(statuses) == {413}
    assert (await meeting.upload(encoded(halves()))).status == 201, "it costs nothing and counts for nothing"


async def test_too_many_in_ten_minutes_are_refused(
    meeting: Meeting, new_meeting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_pictures, "decoded_upload", as_it_is)
    statuses = [(await meeting.upload(encoded(halves(20 + n)))).status for n in range(RATE_COUNT)]
    assert statuses == [201] * RATE_COUNT
    answer = await meeting.upload(encoded(halves()))
    status, code, message = await refusal(answer)
    assert (status, code) == (429, "too-fast")
    assert message.startswith("more than 30 pictures in 10 minutes; try again in ")
    assert 500 < int(answer.headers["Retry-After"]) <= 600
    other = Meeting(meeting.client, (await new_meeting())["id"])
    assert (await other.upload(encoded(halves()))).status == 201


async def as_it_is(upload: bytes) -> bytes:
    return upload


async def test_they_are_decoded_one_at_a_time_and_few_wait(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most, go_on = 0, 0, asyncio.Event()

    async def decode(upload: bytes) -> bytes:
        nonlocal at_work, most
        at_work, most = at_work + 1, max(most, at_work + 1)
        await go_on.wait()
        at_work -= 1
        return upload

    monkeypatch.setattr(api_pictures, "decoded_upload", decode)
    uploads = [asyncio.create_task(meeting.upload(encoded(halves(20 + n)))) for n in range(MOST_UPLOADS + 1)]
    (first, *_), _ = await asyncio.wait(uploads, return_when=asyncio.FIRST_COMPLETED)
    assert (await refusal(first.result()))[:2] == (503, "busy")
    assert int(first.result().headers["Retry-After"]) > 0
    go_on.set()
    assert sorted([(await task).status for task in uploads]) == [201] * MOST_UPLOADS + [503]
    assert most == 1


async def test_who_sends_too_slowly_makes_way(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_pictures, "UPLOAD_S", 0.2)
    stop = asyncio.Event()

    async def pieces() -> Any:
        yield b"\x89PNG"
        await stop.wait()

    upload = asyncio.create_task(meeting.upload(pieces()))
    answer = await upload
    stop.set()
    assert (await refusal(answer))[:2] == (408, "too-slow")


async def test_who_goes_away_in_the_middle_leaves_no_trace(
    meeting: Meeting, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(MOST_UPLOADS + 1):
        _, writer = await asyncio.open_connection("127.0.0.1", meeting.client.port)
        lines = [
            f"POST /api/meetings/{meeting.id}/pictures HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Length: 1000",
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode() + encoded(halves())[:100])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        while (await meeting.upload(encoded(halves()))).status != 201:
            await asyncio.sleep(0.1)
    assert len(list((tmp_path / "data" / "pictures").iterdir())) == 1
    assert caplog.text == ""


async def test_a_disk_that_is_nearly_full_is_told(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(picture_store.shutil, "disk_usage", lambda path: usage(0, 0, 100))
    status, code, message = await refusal(await meeting.upload(encoded(halves(), "PNG")))
    assert (status, code) == (507, "disk-full")
    assert "recording.min_free_bytes" in message


async def test_whoever_is_in_a_meeting_needs_no_key(make_client: Any) -> None:
    client = await make_client(access_key="open sesame")
    headers = {"Authorization": "Bearer open sesame"}
    created = await client.post("/api/meetings", json={"title": "t", "preset": "plain"}, headers=headers)
    meeting = Meeting(client, (await created.json())["id"])
    assert (await client.get("/api/pictures")).status == 200
    assert (await meeting.seen(await meeting.name_of(encoded(halves())))).shape == (180, 320, 3)
    assert (await client.get("/api/recordings")).status == 401
    assert (await client.get("/api/picturesque")).status == 401


async def test_pictures_survive_a_restart(make_client: Any) -> None:
    client = await make_client()
    created = await (await client.post("/api/meetings", json={"title": "t", "preset": "plain"})).json()
    name = await Meeting(client, created["id"]).name_of(encoded(halves()))
    folder = client.app[PICTURES].folder
    (folder / "tmpabc.part").write_bytes(b"half")
    await client.close()
    again = await make_client()
    assert (await Meeting(again, created["id"]).seen(name)).shape == (180, 320, 3)
    assert [path.name for path in folder.iterdir()] == [f"{name}.jpg"]


def test_the_protocol_says_the_same() -> None:
    text = (Path(__file__).parents[2] / "docs/protocol.md").read_text(encoding="utf-8")
    part = text.partition("### Pictures")[2].partition("###")[0]
    for said in (
        f"at most {MOST_BYTES >> 20} MiB and {MOST_PIXELS // 10**6} million",
        f"down to {LARGEST_SIDE_PX} pixels",
        f"keeps {picture_store.MOST_KEPT_BYTES // 10**6} MB",
        f"within {api_pictures.UPLOAD_S:g} s",
        f"{RATE_COUNT} uploads in {RATE_S / 60:g} minutes",
        f"{MOST_UPLOADS} uploads at one time",
        f"{MOST_SHOWN} pictures are being fetched",
    ):
        assert said in " ".join(part.split())
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", part, re.MULTILINE)
    told = {(int(status), code) for status, codes in rows for code in re.findall(r"`([a-z-]+)`", codes)}
    source = Path(api_pictures.__file__).read_text(encoding="utf-8")
    assert told == {(int(status), code) for status, code in re.findall(r'ApiError\((\d+), "([a-z-]+)"', source)}
    assert f"({api_pictures.MIN_WIDTH_PX} to {api_pictures.MAX_WIDTH_PX})" in text
