"""Tracks survive their workers; nobody else notices."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import av
import pytest
from live.conftest import Camera, sizes_of

from vmeet_core.live.cost import Cost, Costs
from vmeet_core.live.lateness import Lateness, Work
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import MAX_STRIKES, LivePool, LiveTrack, NoRoom, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.media.frames import planes_of
from vmeet_core.settings import Settings

SIZES = ((0, 600_000),)
LARGE = (960, 540)  #: what reduces to 360p
ONE_EACH = Costs(Cost(0.5, 0.15), {"mark": Cost(0.1, 0.05)})  #: for a worker: one in full and one reduced
CHEAP = Costs(Cost(0.1, 0.05), dict.fromkeys(("mark", "slow", "raises", "hangs", "dies"), Cost(0.05, 0.02)))
MakePool = Callable[..., Awaitable[LivePool]]


class Person(TrackEvents):
    """Sends pictures all the time, with a keyframe when one is wanted, and keeps what becomes of them."""

    def __init__(self, pool: LivePool, name: str, camera: Camera | None = None, **options: Any) -> None:
        self.frames: list[tuple[float, LiveFrame]] = []
        self.interruptions: list[float] = []
        self.failures: list[tuple[str, str]] = []
        self.limits: list[bool] = []
        self.camera = camera or Camera()
        self.track: LiveTrack = pool.open(Track(((name, options),), SIZES), self)
        self._sending = asyncio.create_task(self._send())

    def frame(self, frame: LiveFrame) -> None:
        self.frames.append((time.monotonic(), frame))

    def keyframe_wanted(self) -> None:
        self.camera.encoder.request_keyframe()

    def limited(self, reduced: bool) -> None:
        self.limits.append(reduced)

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
        return self.track.worker.process_id

    async def stop(self) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)


@pytest.fixture
async def make_pool(filters: None, settings: Settings) -> AsyncIterator[MakePool]:
    pools: list[LivePool] = []

    async def make(*names: str, workers: int = 1, costs: Costs | None = CHEAP) -> LivePool:
        """``costs`` stand for what was measured, which a slow machine makes so much that nobody has room; None leaves
        them.
        """
        pool = LivePool(settings, names, workers=workers)
        pools.append(pool)
        await pool.start()
        if costs is not None:
            pool._crew.costs = costs
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


# ---- engines that come later ----


def pids(pool: LivePool) -> set[int]:
    return set(pool.process_ids)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def all_filtered(person: Person, level: int = 200) -> bool:
    """Whether its pictures can be decoded as one stream, and each of them went through the filter."""
    decoder = av.CodecContext.create("vp8", "r")
    pictures = [picture for _, frame in person.frames for picture in decoder.decode(av.Packet(frame.data))]
    return len(pictures) == len(person.frames) and all(
        abs(float(planes_of(each)[0][:80].mean()) - level) < 6 for each in pictures
    )


async def test_without_engines_there_is_no_process_until_some_are_needed(make_pool: MakePool) -> None:
    pool = await make_pool()
    assert (pool.ready, pids(pool)) == (0, set())
    with pytest.raises(RuntimeError, match="no worker"):
        pool.open(Track((), SIZES), TrackEvents())
    await pool.need(["mark"])
    assert pool.ready == 2
    anna = Person(pool, "mark")
    await anna.frames_after(0)
    await anna.stop()


async def test_running_tracks_go_over_to_workers_with_more_engines(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    anna = Person(pool, "mark", level=200)
    await anna.frames_after(0)
    before, old_pids = anna.pid, pids(pool)
    await pool.need(["raises"])
    assert not pids(pool) & old_pids
    await anna.until(lambda: anna.pid != before)
    await anna.frames_after(time.monotonic())
    assert anna.interruptions == anna.failures == anna.limits == []
    assert all_filtered(anna)
    ben = Person(pool, "raises")
    await ben.frames_after(0)
    await anna.until(lambda: not pool._retiring)
    assert not any(is_running(pid) for pid in old_pids)
    assert pool.room.deaths == 0
    await anna.stop()
    await ben.stop()


async def test_a_camera_that_sends_no_keyframe_goes_over_without_one(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    anna = Person(pool, "mark")
    await anna.frames_after(0)
    anna.keyframe_wanted = lambda: None  # type: ignore[method-assign]
    await pool.need(["raises"])
    await anna.until(lambda: not pool._retiring)
    assert anna.pid in pids(pool)
    del anna.keyframe_wanted
    await anna.frames_after(time.monotonic())
    assert anna.interruptions == []
    await anna.stop()


async def test_options_given_on_the_way_are_kept(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    anna = Person(pool, "mark", level=100)
    await anna.frames_after(0)
    anna.keyframe_wanted = lambda: None  # type: ignore[method-assign]
    await pool.need(["raises"])
    assert anna.track.coming is not None
    anna.track.update("mark", {"level": 220})
    del anna.keyframe_wanted
    anna.keyframe_wanted()
    await anna.until(lambda: anna.track.coming is None)
    await anna.frames_after(time.monotonic())
    (picture,) = av.CodecContext.create("vp8", "r").decode(
        av.Packet(next(frame for _, frame in reversed(anna.frames) if frame.keyframe).data)
    )
    assert abs(float(planes_of(picture)[0][:80].mean()) - 220) < 6
    await anna.stop()


async def test_what_cannot_be_loaded_changes_nothing(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    anna = Person(pool, "mark")
    await anna.frames_after(0)
    before, its_pid = pids(pool), anna.pid
    with pytest.raises(RuntimeError, match="no such model"):
        await pool.need(["slow", "unloadable"])
    assert (pids(pool), anna.pid, pool.ready) == (before, its_pid, 2)
    await anna.frames_after(time.monotonic())
    assert anna.interruptions == []
    await anna.stop()


async def test_what_is_needed_at_the_same_time_is_loaded_in_turn(make_pool: MakePool) -> None:
    pool = await make_pool()
    await asyncio.gather(pool.need(["mark"]), pool.need(["slow"]), pool.need(["mark"]))
    assert pool.ready == 2
    before = pids(pool)
    await pool.need(["slow", "mark"])
    assert pids(pool) == before, "all of it is there"
    for name in ("mark", "slow"):
        person = Person(pool, name)
        await person.frames_after(0)
        await person.stop()


async def test_a_new_worker_has_what_was_needed_later(make_pool: MakePool) -> None:
    pool = await make_pool("mark")
    await pool.need(["raises"])
    before = pids(pool)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while pool.ready < 2 or pids(pool) & before:
            await asyncio.sleep(0.05)
    ben = Person(pool, "raises")
    await ben.frames_after(0)
    assert pool.room.deaths == 2
    await ben.stop()


async def test_whoever_waits_for_engines_hears_of_the_end(filters: None, settings: Settings) -> None:
    pool = LivePool(settings)
    needing = asyncio.create_task(pool.need(["mark"]))
    await asyncio.sleep(0.1)
    await pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        await needing
    with pytest.raises(RuntimeError, match="closed"):
        await pool.need(["mark"])


# ---- room ----


async def test_the_third_is_reduced_the_fifth_is_refused_and_the_first_two_stay_as_they_are(
    make_pool: MakePool,
) -> None:
    pool = await make_pool("mark", workers=2, costs=ONE_EACH)
    people = [Person(pool, "mark", Camera(*LARGE)) for _ in range(4)]
    assert [person.track.reduced for person in people] == [False, False, True, True]
    assert [person.limits for person in people] == [[], [], [True], [True]]
    with pytest.raises(NoRoom, match="no room for another picture: 4 of them are all that 2 workers can do"):
        pool.open(Track((("mark", {}),), SIZES), TrackEvents())
    assert pool.room[:4] == (pytest.approx(1.6 / 1.7), 2, 2, 0)
    for person, size in zip(people, [LARGE, LARGE, (640, 360), (640, 360)], strict=True):
        await person.frames_after(0, 10)
        assert sizes_of([frame for _, frame in person.frames]) == {size}
    for person in people:
        await person.stop()


async def test_who_was_reduced_is_made_full_when_somebody_goes(make_pool: MakePool) -> None:
    pool = await make_pool("mark", costs=ONE_EACH)
    anna, ben = Person(pool, "mark", Camera(*LARGE)), Person(pool, "mark", Camera(*LARGE))
    await ben.frames_after(0)
    pool.close_track(anna.track)
    await ben.until(lambda: not ben.track.reduced)
    await ben.until(lambda: LARGE in sizes_of([frame for _, frame in ben.frames]))
    assert ben.limits == [True, False]
    assert ben.interruptions == []
    await anna.stop()
    await ben.stop()


async def test_who_was_reduced_goes_where_there_is_room(make_pool: MakePool) -> None:
    pool = await make_pool("mark", workers=2, costs=ONE_EACH)
    people = [Person(pool, "mark", Camera(*LARGE)) for _ in range(3)]
    third = people[2]
    await third.frames_after(0)
    elsewhere = next(person for person in people[:2] if person.pid != third.pid)
    before = third.pid
    pool.close_track(elsewhere.track)
    await third.until(lambda: third.pid != before)
    await third.until(lambda: LARGE in sizes_of([frame for _, frame in third.frames]))
    assert (third.limits, third.interruptions) == ([True, False], [])
    for person in people:
        await person.stop()


async def test_bit_rates_are_lower_while_it_is_reduced(make_pool: MakePool) -> None:
    pool = await make_pool("mark", costs=ONE_EACH)
    anna, ben = Person(pool, "mark"), Person(pool, "mark")
    ben.track.set_bitrate(0, 1_500_000)
    assert ben.track._given.sizes == ((0, 500_000),)
    ben.track.limit(False)
    assert ben.track._given.sizes == ((0, 1_500_000),)
    await anna.stop()
    await ben.stop()


async def test_what_a_filter_costs_decides(make_pool: MakePool) -> None:
    """Measured: 1.2 cores in full are too much even for a worker alone; 3 cores and 1.5 of a core are as well."""
    pool = await make_pool("heavy", "enormous", costs=None)
    anna = Person(pool, "heavy", Camera(*LARGE))
    assert anna.track.reduced
    await anna.frames_after(0)
    with pytest.raises(NoRoom):
        pool.open(Track((("enormous", {}),), SIZES), TrackEvents())
    await anna.stop()


async def test_a_worker_that_is_late_is_relieved_of_whoever_came_last(make_pool: MakePool) -> None:
    """It costs no CPU, only time: so nobody could know."""
    pool = await make_pool("mark", "slow")
    anna = Person(pool, "mark")
    await anna.frames_after(0)
    ben = Person(pool, "slow", after=0)
    assert ben.limits == [], "there is room for both, by what is known"
    await ben.until(lambda: ben.limits)
    assert (anna.limits, ben.limits) == ([], [True])
    with pytest.raises(NoRoom):
        pool.open(Track((("mark", {}),), SIZES), TrackEvents())
    assert pool.room.dropped > 0
    pool.close_track(anna.track)
    pool.close_track(ben.track)
    carla = Person(pool, "mark")
    assert carla.limits == [], "who has nothing to do is late no more"
    await carla.stop()
    await anna.stop()
    await ben.stop()


async def test_who_is_alone_and_a_little_late_is_left_alone(make_pool: MakePool) -> None:
    """In full at 25 pictures a second is better than reduced at 15."""
    pool = await make_pool("mark")
    anna = Person(pool, "mark")
    await anna.frames_after(0)
    assert anna.track.worker is not None
    lateness = anna.track.worker.lateness = Lateness()
    for look in range(6):
        lateness.tell(Work(look, look, 30 * look, 5 * look))
    pool._relieve(anna.track.worker)
    assert anna.limits == []
    for look in range(6, 12):
        lateness.tell(Work(look, look, 30 * look, 20 * look))
    pool._relieve(anna.track.worker)
    assert anna.limits == [True]
    await anna.stop()


async def test_who_was_first_is_not_reduced_for_who_came_later(make_pool: MakePool) -> None:
    pool = await make_pool("mark", costs=ONE_EACH)
    anna, ben = Person(pool, "mark"), Person(pool, "mark")
    assert anna.track.worker is not None
    lateness = anna.track.worker.lateness = Lateness()
    for look in range(6):
        lateness.tell(Work(look, look, 30 * look, 5 * look))
    pool._relieve(anna.track.worker)
    assert (anna.limits, ben.limits) == ([], [True])
    await anna.stop()
    await ben.stop()


async def test_a_worker_that_takes_more_than_was_measured_has_less_room(make_pool: MakePool) -> None:
    pool = await make_pool("mark", costs=ONE_EACH)
    anna = Person(pool, "mark")
    assert anna.track.worker is not None
    lateness = anna.track.worker.lateness = Lateness()
    for look in range(20):
        lateness.tell(Work(look, look, 30 * look, 0, 0.8 * look))
    with pytest.raises(NoRoom):
        pool.open(Track((("mark", {}),), SIZES), TrackEvents())
    await anna.stop()


async def test_voices_are_refused_and_never_reduced(filters: None, settings: Settings) -> None:
    pool = LivePool(settings, denoisers=["quiet"])
    await pool.start()
    pool._crew.costs = Costs(denoisers={"quiet": Cost(0.4, 0.4)})
    voice = Track((("quiet", {}),), is_sound=True)
    opened = [pool.open(voice, TrackEvents()) for _ in range(2)]
    with pytest.raises(NoRoom, match="no room for another voice"):
        pool.open(voice, TrackEvents())
    assert not any(track.reduced for track in opened)
    await pool.close()


async def test_who_has_no_place_after_a_death_waits_for_one(make_pool: MakePool) -> None:
    pool = await make_pool("mark", costs=ONE_EACH)
    anna, ben = Person(pool, "mark"), Person(pool, "mark")
    await ben.frames_after(0)
    pool._crew.costs = Costs(Cost(0.5, 0.5), {"mark": Cost(0.1, 0.1)})
    os.kill(anna.pid, signal.SIGKILL)
    await ben.until(lambda: ben.interruptions)
    assert (pool.room.full, pool.room.waiting) == (1, 1)
    pool.close_track(anna.track)
    await ben.frames_after(time.monotonic())
    await anna.stop()
    await ben.stop()


async def test_a_late_worker_takes_another_voice_and_no_other_picture(
    make_pool: MakePool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lateness, "was_late_within", lambda self, within_s, now_s: True)
    pictures = await make_pool("mark", costs=Costs(Cost(0.1, 0.05), {"mark": Cost(0.1, 0.05)}))
    picture = Track((("mark", {}),), SIZES)
    pictures.open(picture, TrackEvents())
    with pytest.raises(NoRoom):
        pictures.open(picture, TrackEvents())
    sound = LivePool(settings, denoisers=["quiet"])
    await sound.start()
    voice = Track((("quiet", {}),), is_sound=True)
    assert [sound.open(voice, TrackEvents()).worker is not None for _ in range(2)] == [True, True]
    await sound.close()
