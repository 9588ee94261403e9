"""Forced failures of a filter that hides the room: nobody may see the room. ``benchmarks/leak.py`` forces many more.

The last tests let the server leak: what cannot find a leak proves nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from leak_peers import SMALL_PX, until
from leak_scene import PATTERN_CONTRAST, Look, draw, look
from leak_stage import Entry, Failure, LeakMeeting, Stage, leaky, running
from leak_witness import CameraLog, PersonLog

from vmeet_core.live.card import make_card
from vmeet_core.live.decoder import PictureDecoder
from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.media.frames import planes_of, video_frame
from vmeet_core.server.filtered_camera import SIZES, FilteredCamera
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.source import Source

HEIGHT_PX, RATE_HZ = 360, 10
STEP = 9000


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with running(tmp_path, 1, RATE_HZ) as made:
        yield made


@pytest.fixture
async def meeting(stage: Stage) -> AsyncIterator[LeakMeeting]:
    made = LeakMeeting(stage, HEIGHT_PX, RATE_HZ, goes_off=True, seed=1)
    await made.begin()
    yield made
    await made.end()


def failure(number: int, kind: Any, entry: Entry, **more: Any) -> Failure:
    wanted = {"where": "picture", "after": 3, "times": 1, "variant": 0, "waits": False} | more
    return Failure(number=number, kind=kind, entry=entry, **wanted)


async def test_whatever_a_filter_does_nobody_sees_the_room(meeting: LeakMeeting) -> None:
    forced = [
        failure(0, "raise", "off"),
        failure(1, "shape", "restart", after=0),
        failure(2, "kill", "tint"),
        failure(3, "hang", "update", where="update"),
    ]
    for each in forced:
        outcome = await meeting.fail(each)
        assert outcome.shown is not None, outcome
    deaths = meeting.stage.deaths
    outcome = await meeting.fail(failure(4, "memory", "off"))
    assert "emory" in outcome.reason
    assert meeting.stage.deaths == deaths, "the worker and its other tracks live on"
    assert meeting.stage.unlimited == 0
    watching = {"full", "small", "whep", "lossy", "Anna"}
    await until(lambda: {each.name for each in meeting.findings() if each.watched > 20} >= watching, 90)
    await meeting.stop_recording()
    await meeting.cancel_jobs()
    found = [*meeting.findings(), await asyncio.to_thread(meeting.recorded)]
    assert [leak for each in found for leak in each.leaks] == []
    assert (meeting.log.raw_packets, meeting.log.stale_pictures) == (0, 0)
    by_name = {each.name: each for each in found}
    assert by_name["recording"].watched > 20
    assert by_name["full"].allowed[HEIGHT_PX] > 0, "the pattern is seen when it may be"
    assert by_name["small"].allowed[SMALL_PX] > 0
    assert by_name["recording"].allowed[HEIGHT_PX] > 0


async def test_a_server_that_leaks_is_found_out(meeting: LeakMeeting) -> None:
    await meeting.show_raw()
    hides = mock.PropertyMock(return_value=False)
    with mock.patch.object(Source, "shield"), mock.patch.object(FilteredCamera, "hides", hides):
        await meeting.anna.wish(leaky())
        watching = {"full", "small", "whep", "lossy"}
        await until(lambda: {each.name for each in meeting.findings() if each.leaks} >= watching, 90)
        await until(lambda: meeting.log.raw_packets > 0, 90)
    await meeting.stop_recording()
    await meeting.cancel_jobs()
    assert (await asyncio.to_thread(meeting.recorded)).leaks


async def test_a_picture_that_was_made_before_the_wish_is_found_out(meeting: LeakMeeting) -> None:
    await meeting.recover()
    log = meeting.log
    (person,) = [each for live in meeting.stage.hall.all_live() for each in live.members.values() if each.filtered]
    assert person.filtered is not None
    log.turn(False)
    log.turn(True)
    newest = log.cameras["camera"].newest
    assert newest is not None
    before = log.stale_pictures
    person.filtered.sources[0].send(b"\x01picture", newest - STEP, False, 0, False)
    person.filtered.sources[0].send(b"\x01picture", newest + STEP, False, 0, False)
    assert log.stale_pictures == before + 1


def log_of(numbers: range, log: CameraLog) -> None:
    """Pictures with these numbers come."""
    encoder = Vp8Encoder(500_000)
    for number in numbers:
        encoded = encoder.encode(video_frame(draw(number, 320, 180)), number * STEP)
        assert encoded is not None
        head = b"\x10"  # a frame begins here, without anything more
        packet = RtpPacket(96, True, number, number * STEP + 77, 1, head + encoded.data)
        packet.prepare(mock.Mock(), "vp8", 0.0)
        log.packet(packet)


def test_pictures_are_dated_by_when_their_first_packet_came() -> None:
    log = CameraLog(STEP, is_private=True)
    assert not log.may_be_raw(3), "nothing is known yet"
    log_of(range(5), log)
    assert log.is_dated
    log.turn(False)
    log_of(range(5, 8), log)
    log.turn(True)
    log_of(range(8, 10), log)
    assert [number for number in range(12) if log.may_be_raw(number)] == [5, 6, 7]


def test_a_raw_picture_that_cannot_be_dated_is_a_leak() -> None:
    log = PersonLog()
    log.cameras = {"camera": CameraLog(STEP, is_private=False), "camera-small": CameraLog(STEP, is_private=False)}
    log_of(range(5), log.cameras["camera-small"])
    raw = Look(SMALL_PX, PATTERN_CONTRAST, 3, 3, 130.0)
    assert not log.is_leak(raw, SMALL_PX)
    assert log.is_leak(raw._replace(background=None), SMALL_PX)
    assert log.is_leak(raw._replace(height_px=HEIGHT_PX), SMALL_PX), "of the other size nothing is known"


def test_a_number_that_cannot_be_read_lies_between_its_neighbours() -> None:
    log = PersonLog()
    log.cameras = {"camera": CameraLog(STEP, is_private=True), "camera-small": CameraLog(STEP, is_private=False)}
    small = log.cameras["camera-small"]
    log_of(range(5), small)
    small.turn(True)
    log_of(range(5, 8), small)
    small.turn(False)
    log_of(range(8, 12), small)
    raw = Look(SMALL_PX, PATTERN_CONTRAST, None, None, 130.0)

    def leaks(before: int | None, after: int | None, person: int | None = None, **more: Any) -> bool:
        beside = raw._replace(background=before), raw._replace(background=after, **more)
        return log.is_leak(raw._replace(person=person), SMALL_PX, beside)

    assert not leaks(2, 4)
    assert not leaks(9, 11)
    assert leaks(4, 9), "somebody wished for privacy in between"
    assert leaks(5, 7), "that is private all along"
    assert leaks(4, 2), "pictures are shown in order"
    assert leaks(2, None)
    assert not leaks(None, 11, person=9), "the first one after the card: it is no older than the person in it"
    assert leaks(9, 11, person=6), "the person was captured while privacy was asked for"
    assert leaks(9, None, person=9)
    assert leaks(2, 4, contrast=0.0), "after it something else was shown"
    assert leaks(2, 4, height_px=HEIGHT_PX)


@pytest.mark.parametrize("height_px", [180, 360, 720])
def test_the_pattern_and_its_number_outlive_the_codec(height_px: int) -> None:
    encoder, decoder = Vp8Encoder(100_000 if height_px == 180 else 500_000), PictureDecoder()
    for number in (0, 1, 4711, 65_535):
        encoded = encoder.encode(video_frame(draw(number, height_px * 16 // 9, height_px)), number * STEP)
        assert encoded is not None
        picture = decoder.decode("vp8", encoded.data, encoded.keyframe)
        assert picture is not None
        seen = look(planes_of(picture)[0])
        assert seen.is_raw
        assert (seen.background, seen.person) == (number, number)


def test_a_corner_of_the_room_is_enough() -> None:
    y = draw(7, 1280, 720)[0]
    hidden = y.copy()
    hidden[:] = 150
    assert not look(hidden).is_raw
    hidden[-160:, :160] = y[-160:, :160]
    assert look(hidden).is_raw


def test_a_card_is_known_as_one() -> None:
    for data, _ in make_card("Anna", (SIZES[0][0], 720)).pictures:
        picture = PictureDecoder().decode("vp8", data, True)
        assert picture is not None
        assert look(planes_of(picture)[0]).is_card
