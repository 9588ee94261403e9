"""What is measured is CPU: in proportion to the work, and not to the time that others take."""

import time

import numpy as np
import pytest
from live.test_sound_track import Engine, Gain

from vmeet_core.hookspecs import Audio, Frame, FrameStream
from vmeet_core.live.cost_meter import HEIGHT_PX, PICTURES, WIDTH_PX, CostMeter, picture
from vmeet_core.live.sound_track import LiveDenoiser


def burn(seconds: float) -> None:
    """CPU of this process."""
    until_s = time.process_time() + seconds
    while time.process_time() < until_s:
        pass


class Burner(FrameStream):
    """Takes so much CPU for a full picture, and a quarter of it for a small one."""

    def __init__(self, cpu_s: float, sleep_s: float = 0.0) -> None:
        self.cpu_s, self.sleep_s = cpu_s, sleep_s
        self.seen: list[tuple[int, ...]] = []
        self.closed = False

    def process(self, frame: Frame, pts_s: float) -> Frame:
        self.seen.append(frame.y.shape)
        assert not frame.y.flags.writeable
        time.sleep(self.sleep_s)
        burn(self.cpu_s * frame.y.size / (WIDTH_PX * HEIGHT_PX))
        return frame

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def meter() -> CostMeter:
    return CostMeter()


def test_a_filter_costs_the_cpu_that_it_takes(meter: CostMeter) -> None:
    streams = [Burner(0.008), Burner(0.008)]
    given = iter(streams)
    cost = meter.frame_filter(lambda: next(given))
    assert cost.full == pytest.approx(0.008 * 30, rel=0.1)
    assert cost.reduced == pytest.approx(0.002 * 15, rel=0.2)
    assert [set(stream.seen) for stream in streams] == [{(720, 1280)}, {(360, 640)}]
    assert all(stream.closed for stream in streams)


def test_waiting_costs_nothing(meter: CostMeter) -> None:
    cost = meter.frame_filter(lambda: Burner(0.0, sleep_s=0.01))
    assert cost.full < 0.1, "it takes 0.3 of the time"


def test_a_slow_filter_is_measured_with_few_pictures(meter: CostMeter) -> None:
    stream = Burner(0.1)
    assert meter.frame_filter(lambda: stream).full == pytest.approx(3, rel=0.1)
    assert stream.seen.count((720, 1280)) == 2
    assert len(stream.seen) < 2 * PICTURES


def test_a_filter_that_raises_is_closed_all_the_same(meter: CostMeter) -> None:
    class Broken(Burner):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            raise RuntimeError("not this picture")

    stream = Broken(0)
    with pytest.raises(RuntimeError, match="not this picture"):
        meter.frame_filter(lambda: stream)
    assert stream.closed


def test_a_small_picture_costs_less_to_code(meter: CostMeter) -> None:
    cost = meter.codec()
    assert 0 < cost.reduced < 0.7 * cost.full
    assert cost.full < 3, "of this machine's cores"


def test_a_denoiser_costs_its_cpu_and_opus(meter: CostMeter) -> None:
    class Slow(Gain):
        def process(self, audio: Audio) -> Audio:
            burn(0.001)  # of 8 ms
            return super().process(audio)

    stream = Slow()
    idle = meter.denoiser(LiveDenoiser("gain", Engine(), Gain()))
    cost = meter.denoiser(LiveDenoiser("gain", Engine(), stream))
    assert cost.full == cost.reduced
    assert cost.full - idle.full == pytest.approx(0.125, rel=0.3)
    assert stream.closed == 1


def test_the_pictures_are_pictures() -> None:
    y, u, v = picture(0)
    assert (y.shape, u.shape, v.shape) == ((720, 1280), (360, 640), (360, 640))
    assert {plane.dtype for plane in (y, u, v)} == {np.dtype(np.uint8)}
    moved = np.abs(y.astype(int) - picture(1)[0]).mean()
    assert 2 < moved < 30
