"""Filters that do all sorts of things, installed as a package; pictures; and a worker that is listened to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.live.worker import Events, LiveWorker
from vmeet_core.media.frames import video_frame
from vmeet_core.settings import Settings, load_settings

#: ``mark`` paints the upper half with ``level``; the others do so for a while, and then go wrong in their own way.
FILTERS = """
import os, time
import numpy as np
from vmeet_core.hookspecs import Denoiser, DenoiserProvider, DenoiserStream
from vmeet_core.hookspecs import Frame, FrameFilter, FrameFilterProvider, FrameStream, Options, hookimpl

BURNS_S = {"heavy": (0.04, 0.004), "enormous": (0.1, 0.1)}  # CPU for a picture above 360p, and for another one

class MarkOptions(Options):
    level: int = 200
    after: int = 10  # good pictures before it goes wrong
    background: str = ""

class Stream(FrameStream):
    def __init__(self, options, kind):
        self.options, self.kind, self.count = options, kind, 0
    def update(self, options):
        self.options = options
    def process(self, frame, pts_s):
        self.count += 1
        y = frame.y.copy()
        y[: y.shape[0] // 2] = self.options.level
        if self.count > self.options.after:
            if self.kind == "raises":
                raise RuntimeError("the model exploded")
            if self.kind == "hangs":
                time.sleep(600)
            if self.kind == "dies":
                os.kill(os.getpid(), 9)
            if self.kind == "shrinks":
                return Frame(y[::2], frame.u, frame.v)
            if self.kind == "floats":
                return Frame(y.astype(np.float32), frame.u, frame.v)
            if self.kind == "writes":
                frame.y[:] = 0
            if self.kind == "hoards":
                self.hoard = [np.zeros(1 << 28) for _ in range(5)]
            if self.kind == "slow":
                time.sleep(0.15)
        if self.kind in BURNS_S:
            full_s, small_s = BURNS_S[self.kind]
            until_s = time.process_time() + (full_s if y.shape[0] > 360 else small_s)
            while time.process_time() < until_s:
                pass
        if self.kind == "picky" and y.shape[0] >= 360:
            raise RuntimeError("far too large")
        return Frame(y, frame.u.copy(), frame.v.copy(), frame.color)

class Engine(FrameFilter):
    def __init__(self, kind):
        self.kind = kind
    def open(self, options):
        return Stream(options, self.kind)

class Provider(FrameFilterProvider):
    api, title, licence, version, options = 1, "Fake", "MIT", "1", MarkOptions
    def __init__(self, name):
        self.name, self.protects_privacy = name, name != "plain"
    def load(self, server_settings, host):
        print("a plugin that prints")
        if self.name == "unloadable":
            raise RuntimeError("no such model")
        return Engine(self.name)

class QuietStream(DenoiserStream):
    def process(self, audio):
        return audio * 0.5

class Quiet(Denoiser):
    sample_rate_hz, block_samples, latency_samples = 16_000, 128, 0
    def open(self, options):
        return QuietStream()

class QuietProvider(DenoiserProvider):
    api, title, licence, version, name = 1, "Fake", "MIT", "1", "quiet"
    def load(self, server_settings, host):
        return Quiet()

@hookimpl
def register_denoisers():
    return [QuietProvider()]

@hookimpl
def register_frame_filters():
    names = "mark plain raises hangs dies shrinks floats writes hoards slow heavy enormous picky unloadable".split()
    return [Provider(name) for name in names]
"""


class Camera:
    """Compressed pictures as a browser sends them: of one brightness, with some noise."""

    def __init__(self, width_px: int = 320, height_px: int = 180, level: int = 60) -> None:
        self.level = level
        self.encoder = Vp8Encoder(600_000)
        self.size = (width_px, height_px)
        self.timestamp = 2**32 - 30_000  # wraps soon
        self._pts = 0
        self._random = np.random.default_rng(1)

    def frame(self) -> LiveFrame:
        width_px, height_px = self.size
        y = (self.level + self._random.integers(-4, 5, (height_px, width_px))).astype(np.uint8)
        half = np.full(((height_px + 1) // 2, (width_px + 1) // 2), 128, np.uint8)
        self._pts += 3000
        self.timestamp = (self.timestamp + 3000) % 2**32
        encoded = self.encoder.encode(video_frame((y, half, half)), self._pts)
        assert encoded is not None
        return LiveFrame("vp8", encoded.data, self.timestamp, keyframe=encoded.keyframe)


def sizes_of(frames: list[LiveFrame]) -> set[tuple[int, int]]:
    """Width and height of the keyframes: the head of VP8's says it."""
    heads = [frame.data[6:10] for frame in frames if frame.keyframe]
    return {(int.from_bytes(head[:2], "little"), int.from_bytes(head[2:], "little")) for head in heads}


class Listener(Events):
    """Keeps what a worker tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.frames: dict[int, list[LiveFrame]] = {}
        self.faults: list[tuple[int, str, str]] = []
        self.keyframes: list[int] = []
        self.deaths: list[str] = []
        self.news = asyncio.Event()

    def frame(self, track: int, frame: LiveFrame) -> None:
        self.frames.setdefault(track, []).append(frame)
        self.news.set()

    def keyframe_wanted(self, track: int) -> None:
        self.keyframes.append(track)
        self.news.set()

    def fault(self, track: int, filter_name: str, text: str) -> None:
        self.faults.append((track, filter_name, text))
        self.news.set()

    def dead(self, reason: str) -> None:
        self.deaths.append(reason)
        self.news.set()

    async def until(self, condition: Callable[[], Any], timeout_s: float = 10) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                self.news.clear()
                await self.news.wait()


class Running:
    """A worker and whoever listens to it."""

    def __init__(self, worker: LiveWorker, listener: Listener) -> None:
        self.worker, self.listener = worker, listener

    def got(self, track: int) -> list[LiveFrame]:
        return self.listener.frames.get(track, [])

    async def send(self, track: int, camera: Camera, count: int, pause_s: float = 0.01) -> None:
        for _ in range(count):
            self.worker.frame(track, camera.frame())
            await asyncio.sleep(pause_s)

    async def send_until(self, track: int, camera: Camera, condition: Callable[[], Any], timeout_s: float = 20) -> None:
        """Pictures without an end: on a busy machine many of them come too late."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await self.send(track, camera, 1, 0.02)


@pytest.fixture
def settings() -> Settings:
    return load_settings(None, {})


@pytest.fixture
def filters(use_plugin: Callable[[str, str], None]) -> None:
    """The filters above are installed, for this process and the workers'."""
    use_plugin("fake-filters", FILTERS)


@pytest.fixture
async def make_worker(filters: None, settings: Settings) -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """``await make_worker("mark", ...)``: a worker that has loaded these filters."""
    made: list[LiveWorker] = []

    async def make(*names: str, denoisers: bool = False, **options: Any) -> Running:
        listener = Listener()
        worker = LiveWorker(listener, **options)
        made.append(worker)
        await worker.start()
        await worker.load(settings, () if denoisers else names, names if denoisers else ())
        return Running(worker, listener)

    yield make
    await asyncio.gather(*(worker.close() for worker in made))
