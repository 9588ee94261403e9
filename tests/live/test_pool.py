"""Tracks survive their workers; nobody else notices."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import av
import pytest
from live.conftest import Camera

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import MAX_STRIKES, LivePool, LiveTrack, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.media.frames import planes_of
from vmeet_core.settings import Settings

SIZES = ((0, 600_000),)
MakePool = Callable[..., Awaitable[LivePool]]


class Person(TrackEvents):
    """Sends pictures all the time, with a keyframe when one is wanted, and keeps what becomes of them."""

    def __init__(self, pool: LivePool, name: str, **options: Any) -> None:
        self.frames: list[tuple[float, LiveFrame]] = []
        self.interruptions: list[float] = []
        self.failures: list[tuple[str, str]] = []
        self.camera = Camera()
        self.track: LiveTrack = pool.open(Track(((name, options),), SIZES), self)
        self._sending = asyncio.create_task(self._send())

    def frame(self, frame: LiveFrame) -> None:
        self.frames.append((time.monotonic(), frame))

    def keyframe_wanted(self) -> None:
        self.camera.encoder.request_keyframe()

    def interrupted(self, reason: str) -> None:
        self.interruptions.append(time.monotonic())

    def failed(self, filter_name: str, reason: str) -> None:
        self.failures.append((filter_name, reason))

    async def _send(self) -> None:
        while True:
            self.track.frame(self.camera.frame())
            await asyncio.sleep(0.033)

    async def until(self, condition: Callable[[], Any], timeout_s: float = 20) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.02)

    async def frames_after(self, at_s: float, count: int = 3) -> None:
        await self.until(lambda: sum(arrived > at_s for arrived, _ in self.frames) >= count)

    @property
    def pid(self) -> int:
        assert self.track.worker is not None
        assert self.track.worker._process is not None
        return self.track.worker._process.pid

    async def stop(self) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)


@pytest.fixture
async def make_pool(filters: None, settings: Settings) -> AsyncIterator[MakePool]:
    pools: list[LivePool] = []

    async def make(*names: str, workers: int = 1) -> LivePool:
        pool = LivePool(settings, names, workers=workers)
        pools.append(pool)
        await pool.start()
        return pool

    yield make
    await asyncio.gather(*(pool.close() for pool in pools))


async def test_a_killed_worker_is_replaced_within_two_seconds(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    assert pool.ready == 2
    anna, ben = Person(pool, "mark", level=200), Person(pool, "mark", level=120)
    await anna.frames_after(0)
    await ben.frames_after(0)
    assert anna.pid == ben.pid, "the other one is the spare"
    killed_s = time.monotonic()
    os.kill(anna.pid, signal.SIGKILL)
    await anna.until(lambda: anna.interruptions)
    await anna.frames_after(anna.interruptions[0])
    await ben.frames_after(ben.interruptions[0])
    assert next(at_s for at_s, _ in anna.frames if at_s > anna.interruptions[0]) - killed_s < 2
    after = [frame for at_s, frame in anna.frames if at_s > anna.interruptions[0]]
    assert after[0].keyframe
    (picture,) = av.CodecContext.create("vp8", "r").decode(av.Packet(after[0].data))
    y = planes_of(picture)[0]
    assert abs(float(y[:80].mean()) - 200) < 6, "filtered from the first picture on"
    await anna.until(lambda: pool.ready == 2)
    await anna.stop()
    await ben.stop()


async def test_a_hanging_filter_costs_others_two_seconds_at_most(make_pool: MakePool) -> None:
    pool = await make_pool("hangs", "mark")
    good = Person(pool, "mark")
    await good.frames_after(0)
    bad = Person(pool, "hangs", after=3)
    await good.until(lambda: good.interruptions)
    before_s = max(at_s for at_s, _ in good.frames if at_s < good.interruptions[0])
    await good.frames_after(good.interruptions[0])
    first_s = next(at_s for at_s, _ in good.frames if at_s > good.interruptions[0])
    assert first_s - before_s < 2.5
    await bad.stop()
    await good.stop()


async def test_what_kills_every_worker_is_given_up(make_pool: MakePool) -> None:
    pool = await make_pool("dies", "mark")
    bad = Person(pool, "dies", after=2)
    await bad.until(lambda: bad.failures, 40)
    assert len(bad.interruptions) == MAX_STRIKES - 1
    assert "died 3 times" in bad.failures[0][1]
    await bad.until(lambda: pool.ready == 2, 40)
    good = Person(pool, "mark")
    await good.frames_after(0)
    await bad.stop()
    await good.stop()


async def test_a_filter_that_raises_fails_its_track_and_names_itself(make_pool: MakePool) -> None:
    pool = await make_pool("raises", "mark")
    good, bad = Person(pool, "mark"), Person(pool, "raises", after=3)
    await bad.until(lambda: bad.failures)
    assert bad.failures[0][0] == "raises"
    assert "exploded" in bad.failures[0][1]
    count = len(bad.frames)
    await good.frames_after(time.monotonic())
    assert len(bad.frames) == count
    assert good.interruptions == []
    await bad.stop()
    await good.stop()


async def test_tracks_are_spread_and_one_worker_stays_spare(make_pool: MakePool) -> None:
    pool = await make_pool("mark", workers=2)
    people = [Person(pool, "mark") for _ in range(4)]
    pids = [person.pid for person in people]
    assert sorted(pids.count(pid) for pid in set(pids)) == [2, 2]
    pool.close_track(people[0].track)
    pool.close_track(people[0].track)
    assert not people[0].track.frame(people[0].camera.frame())
    for person in people:
        await person.stop()


async def test_options_outlive_a_worker(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    anna = Person(pool, "mark", level=100)
    await anna.frames_after(0)
    anna.track.update("mark", {"level": 220})
    os.kill(anna.pid, signal.SIGKILL)
    await anna.until(lambda: anna.interruptions)
    await anna.frames_after(anna.interruptions[0])
    after = [frame for at_s, frame in anna.frames if at_s > anna.interruptions[0]]
    (picture,) = av.CodecContext.create("vp8", "r").decode(av.Packet(after[0].data))
    assert abs(float(planes_of(picture)[0][:80].mean()) - 220) < 6
    await anna.stop()


async def test_a_filter_that_cannot_be_loaded_stops_the_start(filters: None, settings: Settings) -> None:
    pool = LivePool(settings, ["unloadable"])
    with pytest.raises(RuntimeError, match="no such model"):
        await pool.start()
    with pytest.raises(RuntimeError, match="no worker"):
        pool.open(Track((), SIZES), TrackEvents())
