"""A live filter that protects privacy, and fails as the leak test tells it to; a plugin that workers load.

Each failure has a number of its own. It leaves a mark in a folder right before it happens, as often as it is to happen:
so the test knows that and when it did, and the worker that takes over goes on without it.
"""

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from leak_scene import person_box
from pydantic import Field

from vmeet_core.hookspecs import Frame, FrameFilter, FrameFilterProvider, FrameStream, Options, hookimpl

MARKS = "VMEET_LEAK_MARKS"  #: environment: the folder of the marks
FLAT_LEVEL = 150  #: of what the background is painted with
MEMORY_BYTES = 10 << 30
CHUNK_BYTES = 256 << 20
Kind = Literal["none", "raise", "hang", "kill", "shape", "memory"]
Where = Literal["picture", "open", "update"]


class LeakOptions(Options):
    """``variant`` chooses among the ways in which a kind can happen."""

    kind: Kind = "none"
    where: Where = "picture"
    after: int = Field(0, ge=0, description="good pictures before it")
    number: int = 0
    times: int = 1
    variant: int = 0


class Stream(FrameStream):
    """Keeps the person; everything else becomes flat."""

    def __init__(self, options: LeakOptions) -> None:
        self._options = options
        self._count = 0

    def update(self, options: Any) -> None:
        """Other options; they may name a failure that happens here."""
        self._options, self._count = options, 0
        fail_if_due(options, "update", None)

    def process(self, frame: Frame, pts_s: float) -> Frame:
        """Fails after so many good pictures."""
        self._count += 1
        if self._count > self._options.after:
            wrong = fail_if_due(self._options, "picture", frame)
            if wrong is not None:
                return wrong  # type: ignore[no-any-return]
        return painted(frame)


class Engine(FrameFilter):
    """All its state is in its streams."""

    def open(self, options: Any) -> FrameStream:
        """May fail here."""
        fail_if_due(options, "open", None)
        return Stream(options)


class Tint(FrameStream):
    """A filter that protects nothing: the picture as it is."""

    def process(self, frame: Frame, pts_s: float) -> Frame:
        """The same, a little brighter."""
        return Frame(np.minimum(frame.y, 250) + np.uint8(1), frame.u.copy(), frame.v.copy(), frame.color)


class TintEngine(FrameFilter):
    """Has no state."""

    def open(self, options: Any) -> FrameStream:
        """Never fails."""
        return Tint()


class LeakProvider(FrameFilterProvider):
    """The filter that fails."""

    api, name, title, licence, version = 1, "leaky", "Fails as told", "Apache-2.0", "1"
    options, protects_privacy = LeakOptions, True

    def load(self, server_settings: Any, host: Any) -> FrameFilter:
        """There is nothing to load."""
        return Engine()


class TintProvider(FrameFilterProvider):
    """The filter that protects nothing."""

    api, name, title, licence, version = 1, "tint", "Protects nothing", "Apache-2.0", "1"

    def load(self, server_settings: Any, host: Any) -> FrameFilter:
        """There is nothing to load."""
        return TintEngine()


def painted(frame: Frame) -> Frame:
    """Flat around the person."""
    height, width = frame.y.shape
    left, top, right, bottom = person_box(width, height)
    y = np.full_like(frame.y, FLAT_LEVEL)
    y[top:bottom, left:right] = frame.y[top:bottom, left:right]
    return Frame(y, frame.u.copy(), frame.v.copy(), frame.color)


def fail_if_due(options: LeakOptions, where: Where, frame: Frame | None) -> Any:
    """Fail here, if this is the place and there is a mark left; what a filter must not give, or None."""
    if options.kind == "none" or options.where != where or not take_mark(options.number, options.times):
        return None
    return FAILURES[options.kind](options, frame)


def take_mark(number: int, times: int) -> bool:
    """Whether this failure is still to happen; whoever is told so has left its mark."""
    folder = Path(os.environ[MARKS])
    for turn in range(times):
        try:
            with (folder / f"{number}-{turn}").open("x") as mark:
                mark.write(repr(time.monotonic()))
        except FileExistsError:
            continue
        return True
    return False


def _raise(options: LeakOptions, frame: Frame | None) -> Any:
    errors: list[BaseException] = [
        RuntimeError("the model exploded"),
        OSError("no such device"),
        SystemExit(1),
        StopIteration(),
        KeyboardInterrupt(),
        ValueError("x" * 10_000),
    ]
    raise errors[options.variant % len(errors)]


def _hang(options: LeakOptions, frame: Frame | None) -> Any:
    if options.variant % 3 == 0:
        time.sleep(3600)
    elif options.variant % 3 == 1:
        ctypes.PyDLL(None).sleep(3600)  # without letting any other thread run
    while True:
        pass


def _kill(options: LeakOptions, frame: Frame | None) -> Any:
    os.kill(os.getpid(), 9)


def _shape(options: LeakOptions, frame: Frame | None) -> Any:
    if frame is None:
        raise TypeError("no frame, so no frame of a wrong shape")
    wrong: list[Callable[[], Any]] = [
        lambda: Frame(frame.y[::2], frame.u, frame.v),
        lambda: Frame(frame.y.astype(np.float32), frame.u, frame.v),
        lambda: None if options.variant % 2 else frame.y,
        lambda: Frame(frame.y.T, frame.u, frame.v),
        lambda: Frame(frame.y, frame.u[:-1], frame.v),
        lambda: (frame.y, frame.u, frame.v),
    ]
    return wrong[options.variant % len(wrong)]()


def _memory(options: LeakOptions, frame: Frame | None) -> Any:
    """Nothing of it is written to: where no limit holds, the machine lives on, and a mark tells of it."""
    size = CHUNK_BYTES if options.variant % 2 else MEMORY_BYTES
    hoard = [np.empty(size, np.uint8) for _ in range(MEMORY_BYTES // size)]
    (Path(os.environ[MARKS]) / f"{options.number}-unlimited").write_text(str(len(hoard)))
    return None


FAILURES: dict[str, Callable[[LeakOptions, Frame | None], Any]] = {
    "raise": _raise,
    "hang": _hang,
    "kill": _kill,
    "shape": _shape,
    "memory": _memory,
}


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    """Both."""
    return [LeakProvider(), TintProvider()]
