"""A filter in a worker process gets the background pictures by name through its host."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live.conftest import Camera, Listener, Running

from vmeet_core.effects.picture_shelf import FOLDER, upload_file, upload_name
from vmeet_core.effects.pictures import built_in, encoded_jpeg
from vmeet_core.hookspecs import Frame
from vmeet_core.live.worker import LiveWorker, Track
from vmeet_core.media.frames import planes_of
from vmeet_core.settings import Settings, load_settings

#: As a plugin that finds people does it, with a mask that says nobody is there.
EMPTY_ROOM = """
import numpy as np
from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import FrameFilter, FrameFilterProvider, FrameStream, hookimpl

class Stream(FrameStream):
    def __init__(self, composer):
        self.composer = composer
    def update(self, options):
        self.composer.update(options)
    def process(self, frame, pts_s):
        return self.composer.compose(frame, np.zeros((36, 64), np.float32), pts_s)

class Engine(FrameFilter):
    def __init__(self, host):
        self.host = host
    def open(self, options):
        from vmeet_core.effects.compose import Composer
        return Stream(Composer(options, self.host.picture))

class Provider(FrameFilterProvider):
    api, title, licence, version, name = 1, "Empty room", "MIT", "1", "empty-room"
    options, protects_privacy = EffectOptions, True
    def load(self, server_settings, host):
        return Engine(host)

@hookimpl
def register_frame_filters():
    return [Provider()]
"""
RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    picture = np.empty((360, 640, 3), np.uint8)
    picture[:, :320], picture[:, 320:] = left, right
    return picture


@pytest.fixture
def settings_here(tmp_path: Path) -> Settings:
    settings = load_settings(None, {})
    server = settings.server.model_copy(update={"data_dir": tmp_path / "data"})
    return settings.model_copy(update={"server": server})


@pytest.fixture
def uploaded(settings_here: Settings) -> Callable[[np.ndarray], str]:
    """Keeps a picture as the server does."""

    def keep(rgb: np.ndarray) -> str:
        jpeg, folder = encoded_jpeg(rgb), settings_here.server.data_dir / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        upload_file(folder, upload_name(jpeg)).write_bytes(jpeg)
        return upload_name(jpeg)

    return keep


@pytest.fixture
async def running(
    install_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, settings_here: Settings
) -> AsyncIterator[Running]:
    folder = install_plugin("empty-room", EMPTY_ROOM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    listener = Listener()
    worker = LiveWorker(listener)
    await worker.start()
    try:
        await worker.load(settings_here, ["empty-room"])
        yield Running(worker, listener)
    finally:
        await worker.close()


Shows = Callable[..., Awaitable[None]]


@pytest.fixture
def shows(running: Running) -> Shows:
    """``await shows(number, picture)``: the last picture of the track becomes that one, as far as VP8 lets it."""

    async def until(number: int, wanted: np.ndarray, camera: Camera) -> None:
        decoder, decoded, seen = av.CodecContext.create("vp8", "r"), 0, np.zeros((180, 320, 3), np.uint8)

        def looks_like_it() -> bool:
            nonlocal decoded, seen
            frames = [frame for frame in running.got(number) if frame.size == 0]
            for frame in frames[decoded:]:
                (picture,) = decoder.decode(av.Packet(frame.data))
                seen = Frame(*planes_of(picture)).rgb()
            decoded = len(frames)
            rows = slice(0, None, max(1, wanted.shape[0] // seen.shape[0]))
            return bool(np.abs(seen.astype(int) - wanted[rows, rows][: len(seen)]).mean() < 12)

        await running.send_until(number, camera, lambda: running.listener.faults or looks_like_it())
        assert running.listener.faults == []

    return until


def track(**options: Any) -> Track:
    return Track((("empty-room", options),), ((0, 600_000),))


async def test_an_uploaded_picture_is_shown(running: Running, shows: Shows, uploaded: Any) -> None:
    picture = halves(RED, BLUE)
    running.worker.open(1, track(background=uploaded(picture)))
    await shows(1, picture, Camera())


async def test_one_of_our_own_is_shown(running: Running, shows: Shows) -> None:
    running.worker.open(1, track(background="bookshelf"))
    await shows(1, built_in("bookshelf"), Camera())


async def test_one_that_comes_later_is_shown_while_it_runs(running: Running, shows: Shows, uploaded: Any) -> None:
    first, second, camera = halves(RED, BLUE), halves(BLUE, RED), Camera()
    running.worker.open(1, track(background=uploaded(first)))
    await shows(1, first, camera)
    running.worker.update(1, "empty-room", {"background": uploaded(second)})
    await shows(1, second, camera)


async def test_a_picture_that_is_not_there_ends_the_track_and_is_named(running: Running) -> None:
    name = "u" + "0" * 32
    running.worker.open(1, track(background=name))
    await running.listener.until(lambda: running.listener.faults)
    number, filter_name, text = running.listener.faults[0]
    assert (number, filter_name) == (1, "empty-room")
    assert name in text
    assert running.worker.state == "ready"
    assert running.got(1) == [], "nothing raw came out"
