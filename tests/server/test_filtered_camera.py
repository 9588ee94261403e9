"""Real workers behind a real ingress: whatever happens, nobody sees the raw picture of a filter that protects it."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import pytest
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpDecodingParameters, RTCRtpReceiveParameters
from live.conftest import Camera, filters, settings  # noqa: F401  # fixtures

from vmeet_core.live.card import Card, make_card
from vmeet_core.live.cost import Cost, Costs
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.frames import planes_of
from vmeet_core.server import filtered_camera, worker_place
from vmeet_core.server.filtered_camera import LAST_PICTURE_S, FilteredCamera
from vmeet_core.settings import Settings
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_source import MadeSource
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import Source

RAW, MARKED, CARD = 120, 200, 58  #: mean luma of the upper half: of the camera, of the filter's, of the card
SIZES = ((90, 100_000), (0, 600_000))
VP8 = [RTCRtpCodecParameters("video/VP8", 90_000, payloadType=97)]


class Viewer:
    """Watches a source as a receiver would: decodes what comes, and keeps what it saw."""

    def __init__(self, source: Source) -> None:
        self.seen: list[tuple[float, str, int]] = []  # when, what, timestamp
        self._source = source
        self._decoder = av.CodecContext.create("vp8", "r")
        self._assembler = FrameAssembler(
            True, self._on_frame, lambda a, b: None, lambda a, b: None, source.request_keyframe
        )
        source.add_listener(self._assembler)
        source.request_keyframe()

    def _on_frame(self, frame: EncodedFrame) -> None:
        if frame.keyframe:
            self._decoder = av.CodecContext.create("vp8", "r")
        for picture in self._decoder.decode(av.Packet(frame.data)):
            y = planes_of(picture)[0]
            self.seen.append((time.monotonic(), what_it_is(y), frame.rtp_timestamp))

    def kinds(self) -> set[str]:
        return {kind for _, kind, _ in self.seen}


def what_it_is(y: Any) -> str:
    level = float(y[: max(len(y) // 4, 1)].mean())
    found = min((abs(level - value), name) for name, value in (("raw", RAW), ("filtered", MARKED), ("card", CARD)))
    assert found[0] < 9, f"a picture of level {level}"
    return found[1]


class Wire(MadeSource):
    """Packs a camera's frames into packets and hands them to an ingress, as a publisher's connection does."""

    def __init__(self, ingress: Ingress) -> None:
        super().__init__("camera", 5, PublisherClock(), lambda: None)
        self._ingress = ingress
        self.add_listener(self)  # type: ignore[arg-type]

    def forward(self, packet: RtpPacket) -> None:
        again = RtpPacket(97, packet.marker, packet.sequence, packet.timestamp, 11, packet.payload)
        self._ingress.receive(again, time.monotonic())

    def push(self, frame: LiveFrame) -> None:
        self.send(frame.data, frame.rtp_timestamp, frame.keyframe, 0, False)


class Stage:
    """A person whose camera runs all the time."""

    def __init__(self, pool: LivePool, card: Card) -> None:
        self.camera = Camera(level=RAW)
        self.raw = tuple(self._ingress(kind) for kind in ("camera-small", "camera"))
        self.sends = True
        self.states: list[tuple[str, str]] = []
        self.filtered = FilteredCamera(self.raw, pool, card, lambda state, reason: self.states.append((state, reason)))
        self.raw_viewers = [Viewer(source) for source in self.raw]
        self.viewers = [Viewer(source) for source in self.filtered.sources]
        self._wires = [Wire(ingress) for ingress in self.raw]
        self._sending = asyncio.create_task(self._send())

    def _ingress(self, kind: Any) -> Ingress:
        def rtcp(data: bytes) -> bool:
            self.camera.encoder.request_keyframe()
            return True

        ingress = Ingress(kind, rtcp, PublisherClock())
        ingress.configure(RTCRtpReceiveParameters(codecs=VP8, encodings=[RTCRtpDecodingParameters(11, 97)]))
        return ingress

    async def _send(self) -> None:
        while True:
            frame = self.camera.frame()
            for wire in self._wires if self.sends else ():
                wire.push(frame)
            await asyncio.sleep(0.033)

    def start(self, name: str, private: bool = True, **options: Any) -> float:
        self.filtered.start(Track(((name, options),), SIZES), private)
        return time.monotonic()

    def set_muted(self, muted: bool) -> None:
        """As an attendee does it."""
        for ingress in self.raw:
            ingress.set_muted(muted)
        self.filtered.set_muted(muted)

    def saw(self, viewer: Viewer, since_s: float) -> set[str]:
        return {kind for at_s, kind, _ in viewer.seen if at_s > since_s}

    async def until(self, condition: Callable[[], Any], timeout_s: float = 15) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        track = self.filtered._place.track
        assert track is not None
        assert track.worker is not None
        assert track.worker._process is not None
        os.kill(track.worker._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        self.filtered.stop()


@pytest.fixture
async def pool(filters: None, settings: Settings) -> AsyncIterator[LivePool]:  # noqa: F811
    made = LivePool(settings, ["mark", "raises", "dies", "hangs", "shrinks"])
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def stage(pool: LivePool) -> AsyncIterator[Stage]:
    made = Stage(pool, await asyncio.to_thread(make_card, "Anna", [90, 180]))
    await made.until(lambda: all(viewer.kinds() == {"raw"} for viewer in made.raw_viewers))
    yield made
    await made.close()


async def test_the_card_then_the_filtered_picture_and_never_the_raw_one(stage: Stage) -> None:
    began_s = stage.start("mark")
    assert all(stage.saw(viewer, 0) == {"card"} for viewer in stage.viewers), "at once"
    assert stage.filtered.hides
    await stage.until(lambda: all("filtered" in viewer.kinds() for viewer in stage.viewers))
    first_s = min(at_s for at_s, kind, _ in stage.viewers[1].seen if kind == "filtered")
    assert first_s - began_s < 2
    await asyncio.sleep(1.5)
    assert all(viewer.kinds() == {"card", "filtered"} for viewer in stage.viewers)
    assert all(stage.saw(viewer, began_s) == set() for viewer in stage.raw_viewers), "raw has stopped everywhere"
    kinds = [kind for _, kind, _ in stage.viewers[1].seen]
    assert kinds == sorted(kinds), "card, then filtered, and no card between"
    assert [state for state, _ in stage.states] == ["starting", "on"]


async def test_nothing_raw_is_sent_again(stage: Stage) -> None:
    raw = stage.raw[1]
    known = next(packet.sequence for packet in raw._ring if packet is not None)
    assert raw.packet(known) is not None
    stage.start("mark")
    assert raw.packet(known) is None
    await asyncio.sleep(0.3)
    stage.filtered.stop()
    assert raw.packet(known) is None, "nor what came while it was hidden"
    assert sum(packet is not None for packet in raw._ring) == 0


async def test_after_stop_the_raw_picture_comes_back(stage: Stage) -> None:
    stage.start("mark")
    await stage.until(lambda: "filtered" in stage.viewers[1].kinds())
    stopped_s = time.monotonic()
    stage.filtered.stop()
    assert not stage.filtered.hides
    await stage.until(lambda: stage.saw(stage.raw_viewers[1], stopped_s) == {"raw"})
    await asyncio.sleep(0.3)
    assert stage.saw(stage.viewers[1], time.monotonic() - 0.2) == set()
    assert stage.states[-1] == ("off", "")
    stage.filtered.stop()


@pytest.mark.parametrize("name", ["raises", "shrinks"])
async def test_a_filter_that_fails_leaves_the_card(stage: Stage, name: str) -> None:
    began_s = stage.start(name, after=5)
    await stage.until(lambda: stage.filtered.state == "failed")
    assert name in stage.states[-1][1]
    stage.filtered.limited(True)
    assert stage.states[-1] == stage.states[-2], "news of the size takes no reason away"
    failed_s = time.monotonic()
    await stage.until(lambda: "card" in stage.saw(stage.viewers[1], failed_s), LAST_PICTURE_S + 4)
    assert all("raw" not in viewer.kinds() for viewer in stage.viewers)
    assert all(stage.saw(viewer, began_s) == set() for viewer in stage.raw_viewers)
    assert stage.filtered.hides


async def test_a_killed_worker_is_followed_by_another_and_the_raw_picture_never_shows(stage: Stage) -> None:
    began_s = stage.start("mark")
    await stage.until(lambda: "filtered" in stage.viewers[1].kinds())
    stage.kill()
    await stage.until(lambda: stage.filtered.state == "interrupted")
    interrupted_s = time.monotonic()
    await stage.until(lambda: "filtered" in stage.saw(stage.viewers[1], interrupted_s))
    assert stage.saw(stage.viewers[1], interrupted_s) == {"filtered"}, "the last picture stood meanwhile"
    assert all(stage.saw(viewer, began_s) == set() for viewer in stage.raw_viewers)
    assert [state for state, _ in stage.states] == ["starting", "on", "interrupted", "on"]


@pytest.mark.parametrize("name", ["dies", "hangs"])
async def test_what_kills_every_worker_ends_in_the_card(stage: Stage, name: str) -> None:
    began_s = stage.start(name, after=3)
    await stage.until(lambda: stage.filtered.state == "failed", 60)
    failed_s = time.monotonic()
    await stage.until(lambda: "card" in stage.saw(stage.viewers[1], failed_s), LAST_PICTURE_S + 4)
    assert all("raw" not in viewer.kinds() for viewer in stage.viewers)
    assert all(stage.saw(viewer, began_s) == set() for viewer in stage.raw_viewers)


async def test_without_workers_there_is_the_card(stage: Stage, pool: LivePool) -> None:
    await pool.close()
    began_s = stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "failed")
    await stage.until(lambda: len(stage.viewers[1].seen) > 1)
    assert stage.viewers[1].kinds() == {"card"}
    assert stage.saw(stage.raw_viewers[1], began_s) == set()


async def test_a_filter_of_another_kind_lets_the_raw_picture_through(stage: Stage) -> None:
    began_s = stage.start("raises", private=False, after=3)
    assert not stage.filtered.hides, "the raw picture is shown until there is a better one"
    await stage.until(lambda: stage.filtered.state == "on")
    assert stage.filtered.hides
    await stage.until(lambda: stage.filtered.state == "failed")
    assert not stage.filtered.hides
    await stage.until(lambda: stage.saw(stage.raw_viewers[1], began_s) == {"raw"})
    assert "card" not in stage.viewers[1].kinds()


async def test_from_a_protecting_filter_to_another_kind_and_back(stage: Stage) -> None:
    stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "on")
    plain_s = stage.start("mark", private=False)
    await stage.until(lambda: stage.saw(stage.raw_viewers[1], plain_s) == {"raw"})
    again_s = stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "on")
    await asyncio.sleep(0.5)
    assert stage.saw(stage.raw_viewers[1], again_s) == set()
    assert stage.saw(stage.viewers[1], again_s) <= {"card", "filtered"}


async def test_an_option_takes_effect_within_half_a_second(stage: Stage) -> None:
    stage.start("mark", level=MARKED)
    await stage.until(lambda: stage.filtered.state == "on")
    stage.filtered.update("mark", {"level": CARD})
    changed_s = time.monotonic()
    await stage.until(lambda: "card" in stage.saw(stage.viewers[1], changed_s))
    first_s = next(at_s for at_s, kind, _ in stage.viewers[1].seen if at_s > changed_s and kind == "card")
    assert first_s - changed_s < 0.5


async def test_no_card_is_shown_of_a_camera_that_is_off(stage: Stage) -> None:
    stage.filtered.set_muted(True)
    stage.start("mark")
    await asyncio.sleep(1.3)
    assert stage.viewers[1].seen == []


async def test_a_camera_that_is_off_takes_no_room_and_comes_back_filtered(stage: Stage, pool: LivePool) -> None:
    stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "on")
    assert pool.room.full == 1
    stage.set_muted(True)
    assert (pool.room.full, stage.filtered.state) == (0, "starting")
    await asyncio.sleep(0.3)
    assert pool.room.full == 0
    on_s = time.monotonic()
    stage.set_muted(False)
    await stage.until(lambda: "filtered" in stage.saw(stage.viewers[1], on_s))
    assert stage.saw(stage.viewers[1], on_s) <= {"card", "filtered"}
    assert stage.saw(stage.raw_viewers[1], on_s) == set()
    assert pool.room.full == 1


async def test_a_camera_that_sends_nothing_makes_room(
    stage: Stage, pool: LivePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered_camera, "IDLE_S", 0.5)
    stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "on")
    stage.sends = False
    await stage.until(lambda: pool.room.full == 0)
    assert stage.filtered.state == "starting"
    stage.sends = True
    await stage.until(lambda: stage.filtered.state == "on")
    assert all("raw" not in viewer.kinds() for viewer in stage.viewers)


async def test_whoever_found_no_room_comes_in_when_there_is_some(
    stage: Stage, pool: LivePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_place, "RETRY_S", 0.5)
    pool._crew.costs = Costs(Cost(0.5, 0.5), {"mark": Cost(0.1, 0.1)})
    first = pool.open(Track((("mark", {}),), SIZES), TrackEvents())
    stage.start("mark")
    await stage.until(lambda: stage.filtered.state == "failed")
    assert "no room" in stage.states[-1][1]
    await asyncio.sleep(0.7)
    assert [state for state, _ in stage.states] == ["starting", "failed"], "told once"
    pool.close_track(first)
    await stage.until(lambda: stage.filtered.state == "on")
    await stage.until(lambda: "filtered" in stage.viewers[1].kinds())  # the small picture may come before the large one
    # On a machine that is late the picture is reduced, which is told with the state that it has already.
    assert [state for state, _ in itertools.groupby(state for state, _ in stage.states)] == [
        *("starting", "failed", "starting", "on")
    ]
    assert stage.viewers[1].kinds() == {"card", "filtered"}


async def test_timestamps_are_those_of_the_capture(stage: Stage) -> None:
    stage.start("mark")
    await stage.until(lambda: sum(kind == "filtered" for _, kind, _ in stage.viewers[1].seen) > 10)
    stamps = [stamp for _, kind, stamp in stage.viewers[1].seen if kind == "filtered"]
    sent = stage.camera.timestamp
    assert all((sent - stamp) % 2**32 % 3000 == 0 for stamp in stamps)
    assert all(0 < (later - earlier) % 2**32 < 90_000 for earlier, later in itertools.pairwise(stamps))
