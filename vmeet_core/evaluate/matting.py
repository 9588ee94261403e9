"""Masks of a filter that replaces backgrounds, told from outside: the same picture over black and over white.

A. R. Smith and J. F. Blinn, "Blue screen matting", SIGGRAPH 1996, theorem 4: with C = alpha F + (1 - alpha) B for two
backgrounds, alpha = 1 - (C1 - C2) / (B1 - B2), summed over the colour channels. Black and white put all of B1 - B2 into
the luma plane, which has every pixel and 219 levels; the chroma planes, with a quarter of the pixels, then tell nothing
of the background, and would only blur the sum.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.hookspecs import Frame, FrameFilter, FrameStream, Options

Alpha = NDArray[np.float32]  # (height, width), 1 where the picture is kept, 0 where it is replaced
BACKGROUND = "background"  #: the common option of filters that replace backgrounds
BLACK, WHITE = "#000000", "#ffffff"
SPAN = {"bt601-limited": 219, "bt601-full": 255}  #: from black to white in the luma plane
SETTLE_FRAMES = 3  #: a picture is given so often, for filters with a memory
FRAME_S = 1 / 30


class Rendering(NamedTuple):
    """The last of the frames that came out, and how long the calls took."""

    frame: Frame
    seconds: tuple[float, ...]


def replaces_background(options: Any) -> bool:
    return BACKGROUND in type(options).model_fields


def with_background(options: Options, colour: str) -> Options:
    """The options that were set, and the background; the filter may choose others to go with it.

    Raises CompareError where it takes no colour.
    """
    try:
        return type(options).model_validate(options.model_dump(exclude_unset=True) | {BACKGROUND: colour})
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise CompareError(f'its option {BACKGROUND} refuses the colour "{colour}": {reason}') from error


def over_both(options: Options) -> tuple[Options, Options]:
    return with_background(options, BLACK), with_background(options, WHITE)


def rendered(engine: FrameFilter, options: Options, frame: Frame) -> Rendering:
    """A picture that stands still, through a fresh stream."""
    seconds = []
    with closing(engine.open(options)) as stream:
        for number in range(SETTLE_FRAMES):
            started_s = time.perf_counter()
            out = processed(stream, frame, number * FRAME_S)
            seconds.append(time.perf_counter() - started_s)
    return Rendering(kept(out), tuple(seconds))


def still_alpha(engine: FrameFilter, options: Options, frame: Frame) -> Alpha:
    """The mask of a picture that stands still."""
    black, white = (rendered(engine, each, frame).frame for each in over_both(options))
    return alpha_between(black, white)


def moving_alphas(
    engine: FrameFilter, options: Options, frames: Iterable[tuple[Frame, float]]
) -> Iterator[tuple[Frame, Alpha]]:
    """Each of (frame, pts_s) with its mask, all through the same two streams."""
    with ExitStack() as stack:
        streams = [stack.enter_context(closing(engine.open(each))) for each in over_both(options)]
        for frame, pts_s in frames:
            black, white = (kept(processed(stream, frame, pts_s)) for stream in streams)
            yield frame, alpha_between(black, white)


def processed(stream: FrameStream, frame: Frame, pts_s: float) -> Frame:
    """One call. Raises CompareError for a result that is no picture of the same kind and size."""
    out = stream.process(frame, pts_s)
    if not isinstance(out, Frame):
        raise CompareError(f"process() returned {type(out).__name__}, not a Frame")
    for name in ("y", "u", "v"):
        given, got = getattr(frame, name), getattr(out, name)
        if getattr(got, "shape", None) != given.shape or got.dtype != np.uint8:
            facts = f"{getattr(got, 'shape', type(got).__name__)} {getattr(got, 'dtype', '')}".strip()
            raise CompareError(f"process() gave plane {name} {facts} for {given.shape} uint8")
    if out.color != frame.color:
        raise CompareError(f"process() gave {out.color} for {frame.color}")
    return out


def alpha_between(black: Frame, white: Frame) -> Alpha:
    """What was kept, from the same picture over black and over white; exact to 1/219 for each level of rounding."""
    apart = white.y.astype(np.float32) - black.y
    alpha: Alpha = np.clip(1 - apart / SPAN[black.color], 0, 1).astype(np.float32)
    return alpha


def kept(frame: Frame) -> Frame:
    """A copy, for a stream may use its buffers again."""
    return Frame(frame.y.copy(), frame.u.copy(), frame.v.copy(), frame.color)
