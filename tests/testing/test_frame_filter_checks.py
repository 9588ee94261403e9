"""Each check of a frame filter passes a good one and fails one that is broken in just that way."""

import ctypes
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from vmeet_core.builtin import BrightnessProvider
from vmeet_core.hookspecs import Frame, FrameFilter, FrameFilterProvider, Host, Options, Permanent
from vmeet_core.testing import FRAME_FILTER_CHECKS, Check, ChromaKeyProvider, Subject, local_host, run_check
from vmeet_core.testing.fakes import ChromaKeyEngine, ChromaKeyOptions, ChromaKeyStream

CHECKS = {check.name: check for check in FRAME_FILTER_CHECKS}


class HalfSize(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        return Frame(*(plane[::2, ::2] for plane in (frame.y, frame.u, frame.v)), frame.color)


class FullRange(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = super().process(frame, pts_s)
        return Frame(out.y, out.u, out.v, "bt601-full")


class NoFrame(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Any:
        return frame.rgb()


class EvenOnly(ChromaKeyStream):
    """Rounds the chroma planes down."""

    def process(self, frame: Frame, pts_s: float) -> Frame:
        height, width = frame.y.shape
        return Frame(frame.y.copy(), *(p[: height // 2, : width // 2].copy() for p in (frame.u, frame.v)), frame.color)


class FirstSize(ChromaKeyStream):
    """Keeps the first picture and mixes it in."""

    def process(self, frame: Frame, pts_s: float) -> Frame:
        first = self.__dict__.setdefault("first", frame.y.copy())
        return Frame(frame.y // 2 + first // 2, frame.u.copy(), frame.v.copy(), frame.color)


class WritesInput(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        frame.y[:] = 16
        return super().process(frame, pts_s)


class WritesHint(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        if frame.person is not None:
            ctypes.memset(frame.person.ctypes.data, 7, 1)
        return super().process(frame, pts_s)


class FloatHint(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        return replace(super().process(frame, pts_s), person=frame.y.astype(np.float32))  # type: ignore[arg-type]


class ForcesInput(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = super().process(frame, pts_s)
        ctypes.memset(frame.y.ctypes.data, 0, 100)
        return out


class ReturnsInput(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        return frame


class ReusesOutput(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = super().process(frame, pts_s)
        buffer = self.__dict__.setdefault("buffer", out.y.copy())
        buffer[:] = out.y
        return Frame(buffer, out.u, out.v, out.color)


class Dithers(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = super().process(frame, pts_s)
        return Frame(out.y ^ np.random.default_rng().integers(0, 16, out.y.shape, np.uint8), out.u, out.v, out.color)


class SharesState(ChromaKeyStream):
    """All streams mix in the last picture of any."""

    before: Any = None

    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = super().process(frame, pts_s)
        before, SharesState.before = SharesState.before, out.y
        if before is None or before.shape != out.y.shape:
            return out
        return Frame(out.y // 2 + before // 2, out.u, out.v, out.color)


class NeedsTime(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        elapsed_s = pts_s - self.__dict__.get("last", pts_s - 1)
        self.__dict__["last"] = pts_s
        assert elapsed_s > 0, "time stands still"
        return super().process(frame, pts_s)


class ForgetsAfterUpdate(ChromaKeyStream):
    def update(self, options: Any) -> None:
        self._options = ChromaKeyOptions(background="#ffff00", near=100)


class BadAtTheEnds(ChromaKeyStream):
    def process(self, frame: Frame, pts_s: float) -> Frame:
        if self._options.near == 100:
            raise ValueError("near is too large")
        return super().process(frame, pts_s)


class OneThread(ChromaKeyStream):
    def __init__(self, options: ChromaKeyOptions) -> None:
        super().__init__(options)
        self._owner = threading.get_ident()

    def process(self, frame: Frame, pts_s: float) -> Frame:
        if threading.get_ident() != self._owner:
            raise RuntimeError("made in another thread")
        return super().process(frame, pts_s)


class ClosesOnce(ChromaKeyStream):
    def close(self) -> None:
        del self._options


class SameForAll(ChromaKeyStream):
    """Changes the picture, but not by ``background``."""

    def process(self, frame: Frame, pts_s: float) -> Frame:
        return Frame(255 - frame.y, frame.u.copy(), frame.v.copy(), frame.color)


def provider(stream: Any = ChromaKeyStream, **attributes: Any) -> ChromaKeyProvider:
    def open_stream(self: Any, options: Any) -> Any:
        return stream(options)

    engine = type("Engine", (ChromaKeyEngine,), {"open": open_stream})

    def load(self: Any, server_settings: Any, host: Host) -> Any:
        return engine()

    return type("Provider", (ChromaKeyProvider,), {"load": load} | attributes)()


def outcome(check: str, subject: FrameFilterProvider) -> tuple[str, str]:
    result = run_check(Subject(subject, local_host()), CHECKS[check])
    return result.state, result.message


@pytest.mark.parametrize("check", FRAME_FILTER_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("make", [ChromaKeyProvider, BrightnessProvider])
def test_a_good_filter_passes(check: Check, make: type[FrameFilterProvider]) -> None:
    result = run_check(Subject(make(), local_host()), check)
    assert result.state == "passed", result


@pytest.mark.parametrize(
    ("check", "stream", "message"),
    [
        ("load", object, "it raised TypeError"),
        ("load", lambda options: "stream", "it raised AttributeError"),
        ("shape", HalfSize, r"plane y is (90, 160) uint8 instead of (180, 320) uint8"),
        ("shape", FullRange, "bt601-limited in, bt601-full out"),
        ("shape", NoFrame, "process() returned ndarray"),
        ("sizes", EvenOnly, "plane u is (120, 213) uint8 instead of (121, 214) uint8"),
        ("sizes", FirstSize, "it raised ValueError"),
        ("input", WritesInput, "read-only input is refused"),
        ("input", ForcesInput, "the input was changed"),
        ("input", ReturnsInput, "used again after each call"),
        ("input", ReusesOutput, "used again after each call"),
        ("person", WritesHint, "told of 0 as 1x1: the hint was changed"),
        ("person", FloatHint, "person is (180, 320) float32"),
        ("repeat", Dithers, "the second time the result differs by"),
        ("state", SharesState, "beside another stream"),
        ("times", NeedsTime, "time stands still"),
        ("update", ForgetsAfterUpdate, "after an update to the options it has"),
        ("update", BadAtTheEnds, "near is too large"),
        ("thread", OneThread, "made in another thread"),
        ("close", ClosesOnce, "closing a stream twice raised AttributeError"),
        ("background", SameForAll, "is changed, and the same over black as over white"),
    ],
)
def test_a_broken_filter_fails(check: str, stream: Any, message: str) -> None:
    SharesState.before = None
    state, text = outcome(check, provider(stream))
    assert state == "failed"
    assert message in text


def test_what_load_returns_must_be_an_engine() -> None:
    def load(self: Any, server_settings: Any, host: Host) -> Any:
        return 5

    assert outcome("load", provider(load=load)) == ("failed", "load() returned int.")


def test_missing_weights_are_told() -> None:
    def load(self: Any, server_settings: Any, host: Host) -> FrameFilter:
        raise Permanent("run: vmeet weights fetch mine")

    result = run_check(Subject(provider(load=load), local_host()), CHECKS["load"])
    assert result.remedy == "run: vmeet weights fetch mine"


def test_the_fate_of_pictures_without_people_is_told() -> None:
    passes = provider(ReturnsInput)
    assert outcome("background", passes) == ("passed", "a flat picture passes untouched, noise passes untouched")
    everywhere = provider(lambda options: ChromaKeyStream(options.model_copy(update={"near": 300.0})))
    assert outcome("background", everywhere) == ("passed", "a flat picture is replaced, noise is replaced")
    assert "cannot be told" in outcome("background", BrightnessProvider())[1]


def test_a_background_that_takes_no_colour_fails() -> None:
    class Pictures(Options):
        background: str = Field("beach", pattern="^(beach|office)$", title="B", description="B")

    assert 'the option background refuses "#000000"' in outcome("background", provider(options=Pictures))[1]


def test_closing_one_engine_must_not_harm_another() -> None:
    alive = {"value": True}

    class Dies(ChromaKeyStream):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            out = super().process(frame, pts_s)
            return Frame(out.y * np.uint8(alive["value"]), out.u, out.v, out.color)

    class Engine(ChromaKeyEngine):
        def open(self, options: Any) -> Any:
            return Dies(options)

        def close(self) -> None:
            alive["value"] = False

    def load(self: Any, server_settings: Any, host: Host) -> Any:
        return Engine()

    assert "after another engine was closed" in outcome("close", provider(load=load))[1]


def test_speed_is_told() -> None:
    assert outcome("speed", ChromaKeyProvider())[1].endswith(" ms per 360p frame")
