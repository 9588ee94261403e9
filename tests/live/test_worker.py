"""Real processes: what goes in comes out filtered, and whatever a plugin does is contained."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live.conftest import Camera, Listener, Running, sizes_of
from live.test_sound_track import Voice, decoded

from vmeet_core.live.cost import UNKNOWN_FILTER
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.worker import HANG_S, LiveWorker, Track
from vmeet_core.media.frames import planes_of
from vmeet_core.settings import Settings

SIZES = ((90, 100_000), (0, 600_000))
MakeWorker = Callable[..., Awaitable[Running]]


def track(name: str, epoch: int = 0, **options: Any) -> Track:
    return Track(((name, options),), SIZES, epoch)


def halves(frames: list[LiveFrame], size: int = 1) -> list[tuple[float, float]]:
    """Mean luma of the upper and the lower half of each picture of a size."""
    decoder, found = av.CodecContext.create("vp8", "r"), []
    for frame in frames:
        if frame.size == size:
            (picture,) = decoder.decode(av.Packet(frame.data))
            y = planes_of(picture)[0]
            found.append((float(y[: len(y) // 2 - 4].mean()), float(y[len(y) // 2 + 4 :].mean())))
    return found


async def test_pictures_come_back_filtered(make_worker: MakeWorker) -> None:
    running = await make_worker("mark")
    running.worker.open(1, track("mark", epoch=3, level=200))
    await running.send_until(1, Camera(), lambda: len(running.got(1)) >= 30)
    got = running.got(1)
    assert {frame.epoch for frame in got} == {3}
    assert {frame.size for frame in got} == {0, 1}
    assert all(abs(upper - 200) < 6 and abs(lower - 60) < 10 for upper, lower in halves(got))
    assert all(0 < time.monotonic() - frame.sent_s < 10 for frame in got)


async def test_filters_of_the_core_run_there_as_well(make_worker: MakeWorker) -> None:
    running = await make_worker("brightness")
    running.worker.open(1, track("brightness", settle_s=0))
    await running.send_until(1, Camera(), lambda: len(running.got(1)) >= 10)
    upper, lower = halves(running.got(1))[-1]
    assert upper > 75, "60 is dark"
    assert lower > 75


async def test_options_change_while_it_runs(make_worker: MakeWorker) -> None:
    running = await make_worker("mark")
    running.worker.open(1, track("mark", level=100))
    camera = Camera()
    await running.send_until(1, camera, lambda: len(running.got(1)) >= 6)
    assert abs(halves(running.got(1))[-1][0] - 100) < 8
    running.worker.update(1, "mark", {"level": 220})
    await running.send_until(1, camera, lambda: abs(halves(running.got(1))[-1][0] - 220) < 8)


async def test_options_that_do_not_fit_end_the_track_with_their_name(make_worker: MakeWorker) -> None:
    running = await make_worker("mark")
    running.worker.open(1, track("mark", loudness=3))
    await running.listener.until(lambda: running.listener.faults)
    number, name, text = running.listener.faults[0]
    assert (number, name) == (1, "mark")
    assert "loudness" in text
    assert running.worker.state == "ready"


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "the model exploded"), ("shrinks", "not uint8"), ("floats", "float32"), ("writes", "read-only")],
)
async def test_a_filter_that_fails_ends_its_track_alone(make_worker: MakeWorker, name: str, said: str) -> None:
    running = await make_worker(name, "mark")
    running.worker.open(1, track(name, after=3))
    running.worker.open(2, track("mark"))
    bad, good = Camera(), Camera()
    await running.send_until(1, bad, lambda: running.listener.faults)
    await running.send_until(2, good, lambda: len(running.got(2)) >= 16)
    number, filter_name, text = running.listener.faults[0]
    assert (number, filter_name, len(running.listener.faults)) == (1, name, 1)
    assert said in text
    assert all(abs(upper - 200) < 6 for upper, _ in halves(running.got(1))), "nothing unfiltered came out"
    assert running.listener.deaths == []


async def test_a_filter_that_wants_all_memory_is_stopped(make_worker: MakeWorker) -> None:
    running = await make_worker("hoards", "mark", memory_bytes=3 << 30)
    running.worker.open(1, track("hoards", after=2))
    await running.send_until(1, Camera(), lambda: running.listener.faults or running.listener.deaths)
    running.worker.open(2, track("mark"))
    await running.send_until(2, Camera(), lambda: running.got(2))
    assert "MemoryError" in running.listener.faults[0][2]


async def test_a_filter_that_hangs_costs_its_worker_soon(make_worker: MakeWorker) -> None:
    running = await make_worker("hangs")
    running.worker.open(1, track("hangs", after=2))
    camera = Camera()
    await running.send_until(1, camera, lambda: running.got(1))
    await running.send_until(1, camera, lambda: running.listener.deaths)
    assert time.monotonic() - running.worker.heard_s < 2 * HANG_S
    assert "did not answer" in running.listener.deaths[0]
    assert running.worker.state == "dead"
    assert not running.worker.frame(1, camera.frame())


async def test_a_worker_that_is_killed_is_noticed_at_once(make_worker: MakeWorker) -> None:
    running = await make_worker("dies")
    running.worker.open(1, track("dies", after=2))
    await running.send_until(1, Camera(), lambda: running.listener.deaths)
    assert time.monotonic() - running.worker.heard_s < HANG_S, "not by its silence"
    assert len(running.listener.deaths) == 1


async def test_what_a_worker_that_has_just_ended_is_told_is_lost(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = (await make_worker("mark")).worker
    writer = worker._writer
    assert writer is not None
    worker.open(1, track("mark"))
    writer.transport.abort()
    told: list[bytes] = []
    monkeypatch.setattr(writer, "write", told.append)  # uvloop's raises now
    assert worker.state == "ready", "the end is not noticed yet"
    worker.frame(1, Camera().frame())
    worker.update(1, "mark", {})
    assert told == []


async def test_late_frames_are_dropped_and_never_queued(make_worker: MakeWorker) -> None:
    running = await make_worker("slow")
    running.worker.open(1, track("slow", after=0))
    await running.send(1, Camera(), 30, pause_s=0.033)
    await running.listener.until(lambda: len(running.got(1)) >= 10)
    await asyncio.sleep(0.5)
    late_s = max(arrived - frame.sent_s for arrived, frame in zip([time.monotonic()], running.got(1)[-1:], strict=True))
    assert running.worker.dropped > 10
    assert late_s < 1.2
    assert len({frame.rtp_timestamp for frame in running.got(1)}) < 15


async def test_a_worker_that_does_not_read_does_not_fill_the_memory(make_worker: MakeWorker) -> None:
    running = await make_worker("slow")
    running.worker.open(1, track("slow", after=0))
    camera = Camera()
    first = camera.frame()
    large = first._replace(data=first.data + bytes(200_000))
    taken = [running.worker.frame(1, large) for _ in range(200)]
    assert taken[0]
    assert not all(taken)
    assert running.listener.keyframes == [1], "asked for once"
    assert not running.worker.frame(1, camera.frame()), "it goes on at a keyframe"


async def test_a_voice_comes_back_denoised(make_worker: MakeWorker) -> None:
    running = await make_worker("quiet", denoisers=True)
    running.worker.open(1, Track((("quiet", {}),), is_sound=True, epoch=4))
    voice = Voice()
    for _ in range(30):
        running.worker.frame(1, voice.packet())
    await running.listener.until(lambda: len(running.got(1)) >= 20)
    assert {(frame.codec, frame.epoch) for frame in running.got(1)} == {("opus", 4)}
    level = np.sqrt(2) * decoded(running.got(1))[12_000:].std()
    assert level == pytest.approx(0.2, rel=0.1)


async def test_a_limit_holds_from_the_next_picture_on(make_worker: MakeWorker) -> None:
    running = await make_worker("mark")
    running.worker.open(1, track("mark")._replace(max_height_px=90, max_fps=15.0))
    camera = Camera()
    await running.send_until(1, camera, lambda: len(running.got(1)) >= 10)
    few = [frame for frame in running.got(1) if frame.size == 1]
    assert (few[-1].rtp_timestamp - few[0].rtp_timestamp) % 2**32 >= 6000 * (len(few) - 1) - 3000, "every second one"
    assert sizes_of(few) == {(160, 90)}
    running.worker.limit(1, 0, 0.0)
    await running.send_until(1, camera, lambda: (320, 180) in sizes_of(running.got(1)))


async def test_what_engines_cost_is_measured_when_it_is_asked_for(filters: None, settings: Settings) -> None:
    worker = LiveWorker(Listener())
    await worker.start()
    await worker.load(settings, ["mark", "heavy", "picky"], ["quiet"], measure=True)
    assert worker.costs is not None
    costs = worker.costs.frame_filters
    assert costs["heavy"].full == pytest.approx(0.04 * 30, rel=0.2)
    assert costs["mark"].full < 0.2
    assert costs["picky"] == UNKNOWN_FILTER, "it raised, and counts as expensive"
    assert 0 < worker.costs.codec.reduced < worker.costs.codec.full
    assert 0 < worker.costs.denoisers["quiet"].full < 0.5
    await worker.close()


async def test_nothing_is_measured_without_need(make_worker: MakeWorker) -> None:
    running = await make_worker("heavy")
    assert running.worker.costs is None


async def test_a_worker_that_has_too_much_is_late(make_worker: MakeWorker) -> None:
    running = await make_worker("slow", "mark")
    running.worker.open(1, track("mark"))
    camera = Camera()
    await running.send(1, camera, 60, pause_s=0.033)
    assert running.worker.lateness.late_s == 0
    running.worker.open(1, track("slow", after=0))
    camera.encoder.request_keyframe()
    await running.send_until(1, camera, lambda: running.worker.lateness.late_s > 1)


async def test_closing_ends_the_waiting_for_engines(filters: None, settings: Settings) -> None:
    worker = LiveWorker(Listener())
    await worker.start()
    loading = asyncio.create_task(worker.load(settings, ["mark"]))
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(RuntimeError, match="closed"):
        await loading


async def test_an_engine_that_cannot_be_loaded_says_why(filters: None, settings: Settings) -> None:
    worker = LiveWorker(Listener())
    await worker.start()
    with pytest.raises(RuntimeError, match="no such model"):
        await worker.load(settings, ["unloadable"])
    await worker.close()


def open_descriptors() -> int:
    """Of this process; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


async def test_nothing_is_left_when_it_is_closed(make_worker: MakeWorker) -> None:
    before = open_descriptors()
    running = await make_worker("hangs")
    running.worker.open(1, track("hangs", after=0))
    await running.send(1, Camera(), 3)
    process = running.worker._process
    assert process is not None
    await running.worker.close()
    assert process.returncode is not None
    await running.worker.close()
    await asyncio.sleep(0.1)
    assert open_descriptors() <= before
    assert running.listener.deaths == [], "it was meant to end"
