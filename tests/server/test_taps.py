"""From a source to the recorder: keyframes where the recording goes on in new files."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from vmeet_core.manifest import ROLL_AFTER_S, SegmentStarted, Started, read_manifest
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.taps import ASK_AGAIN_S, PAUSE_S, Tap
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import Source

PART_S = 4.0
KEY = b"\x10\x10\0\0\x9d\x01\x2a\x40\x01\xb4\0" + b"\0" * 40  # VP8 payload descriptor, 320x180
DELTA = b"\x10\x11\0\0" + b"\0" * 40


class Camera(Source):
    """A source of pictures that notes when it is asked for a keyframe, and gives one if it ``answers``."""

    def __init__(self) -> None:
        super().__init__("camera", PublisherClock())
        self.ssrc, self.answers, self._numbers = 1, True, count()
        self.began_s = time.time()
        self.asked_s: list[float] = []

    def request_keyframe(self) -> None:
        self.asked_s.append(time.time() - self.began_s)
        if self.answers and not self.muted:
            asyncio.get_running_loop().call_soon(self.send, KEY)

    def send(self, payload: bytes) -> None:
        number = next(self._numbers)
        rtp = round((time.time() - self.began_s) * 90_000)
        packet = RtpPacket(97, True, number, rtp, 1, payload, {})
        packet.prepare(self, "vp8", time.monotonic())  # type: ignore[arg-type]
        self._hand_on(packet)

    async def run(self, seconds: float) -> None:
        """30 pictures a second."""
        until_s = time.time() + seconds
        while time.time() < until_s:
            if not self.muted:
                self.send(DELTA)
            await asyncio.sleep(1 / 30)


class Stage:
    """A recording in parts of one camera."""

    def __init__(self, folder: Path) -> None:
        self.camera = Camera()
        started = Started(at_s=self.camera.began_s, recording_id="r", meeting_id="m", title="t", part_s=PART_S)
        self.recorder = Recorder(folder / "r", started, 0, pytest.fail)
        self.tap = Tap(self.recorder, "a", "camera", self.camera)

    async def files_begin_s(self) -> list[float]:
        self.tap.close()
        await asyncio.to_thread(self.recorder.stop, "done")
        events = await asyncio.to_thread(read_manifest, self.recorder.folder)
        return [event.wall_s - self.camera.began_s for event in events if isinstance(event, SegmentStarted)]

    def asked_in(self, from_s: float, until_s: float) -> int:
        return sum(from_s <= each_s < until_s for each_s in self.camera.asked_s)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.tap.close()
    await asyncio.to_thread(made.recorder.stop, "the test is over")


async def test_it_asks_for_one_keyframe_after_each_border(stage: Stage) -> None:
    await stage.camera.run(2 * PART_S + ROLL_AFTER_S + 0.8)
    first, second = PART_S + ROLL_AFTER_S, 2 * PART_S + ROLL_AFTER_S
    assert stage.asked_in(0.5, first) == stage.asked_in(first + 0.7, second) == 0
    assert stage.asked_in(first, first + 0.7) == stage.asked_in(second, second + 0.7) == 1
    begin_s = await stage.files_begin_s()
    assert len(begin_s) == 3
    assert first <= begin_s[1] < first + 0.7
    assert second <= begin_s[2] < second + 0.7


async def test_it_asks_again_when_none_comes(stage: Stage) -> None:
    await stage.camera.run(0.5)
    stage.camera.answers = False
    await stage.camera.run(PART_S + ROLL_AFTER_S + ASK_AGAIN_S)
    border_s = PART_S + ROLL_AFTER_S
    asked = [each_s for each_s in stage.camera.asked_s if each_s > border_s]
    assert len(asked) == 2
    assert asked[1] - asked[0] == pytest.approx(ASK_AGAIN_S, abs=0.3)
    assert len(await stage.files_begin_s()) == 1


async def test_it_asks_nothing_of_a_camera_that_is_off(stage: Stage) -> None:
    await stage.camera.run(0.5)
    stage.camera.set_muted(True)
    await stage.camera.run(PART_S + ROLL_AFTER_S + 0.5)
    assert stage.asked_in(0.5, 100) == 0
    stage.tap.close()
    await asyncio.sleep(PART_S)
    assert stage.asked_in(0.5, 100) == 0


async def test_it_asks_at_once_after_a_pause_over_a_border(stage: Stage) -> None:
    """The recorder may have finished the file meanwhile: pictures before a keyframe would be lost."""
    await stage.camera.run(PART_S + 0.5)
    stage.camera.answers = False
    await asyncio.sleep(max(PAUSE_S, ROLL_AFTER_S + ASK_AGAIN_S) - 0.5)
    before = len(stage.camera.asked_s)
    stage.camera.answers = True
    stage.camera.send(DELTA)
    assert len(stage.camera.asked_s) == before + 1


async def test_without_parts_it_asks_at_the_beginning_only(tmp_path: Path) -> None:
    camera = Camera()
    started = Started(at_s=time.time(), recording_id="r", meeting_id="m", title="t")
    recorder = Recorder(tmp_path / "r", started, 0, pytest.fail)
    tap = Tap(recorder, "a", "camera", camera)
    asked = len(camera.asked_s)
    await camera.run(PART_S)
    tap.close()
    await asyncio.to_thread(recorder.stop, "done")
    assert len(camera.asked_s) <= asked + 1  # the first picture of all was none
