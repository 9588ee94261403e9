"""The core's own plugin: ``brightness``, a live filter that lifts dark pictures and calms glaring ones.

It moves the brightness towards a comfortable range with a gamma curve (Gonzalez and Woods, Digital Image Processing,
3.2.3), applied to the luma plane through a table of 256 entries. Where it is told where the person is, the face counts:
a window behind somebody makes nobody dark. Otherwise the median of the whole picture does.

What is measured is the picture as it came, never what the filter made of it: so nothing can swing.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vmeet_core.hookspecs import (
    API,
    Frame,
    FrameFilter,
    FrameFilterProvider,
    FrameStream,
    Host,
    Options,
    hookimpl,
)

COMFORTABLE = (0.35, 0.65)  #: medians between these, as parts of the luma range, are left alone
SAMPLE_STEP = 8  #: every eighth row and column tell the median well enough

Samples = NDArray[np.uint8]

# Of 40 good photos of people, 36 lie between these: they are left alone.
COMFORTABLE_FACE = (0.4, 0.88)  #: of the fifth of the head that is brightest, which is lit skin, not hair or beard
BRIGHTEST_FACE = 0.9  #: no lifting brings the head's brightest twentieth above it: there skin loses its shape
HEAD = 0.4  #: of the person's height, from the top
PERSON = 192  #: of 255: those are surely the person
MASK_ROWS = 72  #: of a person's mask, at most, are looked at; columns in proportion
RIM_PX = 2  #: of those rows
REMEMBER_S = 3.0  #: time constant, once nobody is seen any more
LEAST, ENOUGH = 0.01, 0.04  #: parts of the picture: a smaller person counts for nothing, a larger one for everything


class BrightnessOptions(Options):
    strength: float = Field(
        1.0, ge=0, le=1, title="Strength", description="0 leaves the picture alone, 1 corrects it fully"
    )
    settle_s: float = Field(
        1.0, ge=0, le=10, title="Settling time", description="how slowly it follows a change of light, in seconds"
    )


class BrightnessStream(FrameStream):
    """The state of one picture: the gamma in force, what the face wanted last, and when that was."""

    def __init__(self, options: BrightnessOptions) -> None:
        self._options = options
        self._log_gamma = 0.0
        self._face = Face(0.0, 0.0)
        self._last_pts_s: float | None = None

    def update(self, options: BrightnessOptions) -> None:
        self._options = options

    def process(self, frame: Frame, pts_s: float) -> Frame:
        elapsed_s = max(0.0, pts_s - self._last_pts_s) if self._last_pts_s is not None else math.inf
        self._last_pts_s = pts_s
        low, high = (16, 235) if frame.color == "bt601-limited" else (0, 255)
        self._face = remembered(self._face, face_of(frame, low, high), elapsed_s)
        of_all = wanted_log_gamma(frame.y, low, high) if self._face.trust < 1 else 0.0
        wanted = self._face.trust * self._face.log_gamma + (1 - self._face.trust) * of_all
        self._settle(wanted * self._options.strength, elapsed_s)
        # Copies, since the input is valid only during the call.
        luma = np.take(gamma_table(math.exp(self._log_gamma), low, high), frame.y)
        return Frame(luma, frame.u.copy(), frame.v.copy(), frame.color)

    def _settle(self, wanted: float, elapsed_s: float) -> None:
        """Move towards ``wanted`` exponentially; the first picture is corrected at once."""
        settle_s = self._options.settle_s
        share = 1 - math.exp(-elapsed_s / settle_s) if settle_s else 1.0
        self._log_gamma += share * (wanted - self._log_gamma)


class Face(NamedTuple):
    """What the face of a picture wants."""

    log_gamma: float
    trust: float  #: 0: there is none, the whole picture counts; 1: it alone counts


def face_of(frame: Frame, low: int, high: int) -> Face:
    """As far as the frame says where there is somebody."""
    if frame.person is None:
        return Face(0.0, 0.0)
    luma, person = seen_together(frame.y, frame.person)
    trust = min(max((float(person.mean()) - LEAST) / (ENOUGH - LEAST), 0.0), 1.0)
    return Face(face_log_gamma(luma[head(person)], low, high) if trust else 0.0, trust)


def remembered(before: Face, now: Face, elapsed_s: float) -> Face:
    """``now``, or what is left of ``before``: a mask that fails for a moment must not change the light."""
    trust = max(now.trust, before.trust * math.exp(-elapsed_s / REMEMBER_S))
    return Face(now.log_gamma if now.trust else before.log_gamma, trust)


def seen_together(luma: Samples, person: Samples) -> tuple[Samples, NDArray[np.bool_]]:
    """Luma and whether it is surely the person's, at the same places: both (h, w) with at most MASK_ROWS rows."""
    step = -(-person.shape[0] // MASK_ROWS)
    sure = shrunken(person[::step, ::step] >= PERSON)
    rows, columns = (np.arange(n) * whole // n for n, whole in zip(sure.shape, luma.shape, strict=True))
    return luma[np.ix_(rows, columns)], sure


def shrunken(person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``person`` (h, w) without its rim of RIM_PX: a mask that is late or too large holds some of the window there."""
    for axis in (0, 1):
        widened = np.pad(person, [(RIM_PX, RIM_PX) if each == axis else (0, 0) for each in (0, 1)], mode="edge")
        length = person.shape[axis]
        person = np.logical_and.reduce(
            [widened.take(range(shift, shift + length), axis) for shift in range(2 * RIM_PX + 1)]
        )
    return person


def head(person: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The upper part of ``person`` (h, w), in which something is true."""
    rows = np.flatnonzero(person.any(axis=1))
    upper = person.copy()
    upper[rows[0] + math.ceil(HEAD * (rows[-1] + 1 - rows[0])) :] = False
    return upper


def face_log_gamma(luma: Samples, low: int, high: int) -> float:
    """The logarithm of the gamma that brings a head's ``luma`` (n,), n > 0, just into the comfortable range."""
    skin, shine = (_part(float(level), low, high) for level in np.percentile(luma, (80, 95)))
    wanted = _log_gamma(skin, COMFORTABLE_FACE)
    furthest = min(math.log(math.log(BRIGHTEST_FACE) / math.log(shine)), 0.0)  # lifting is a gamma below 1
    return max(wanted, furthest)


def wanted_log_gamma(luma: Samples, low: int, high: int) -> float:
    """The logarithm of the gamma that brings the median of ``luma`` (h, w) just into the comfortable range."""
    median = float(np.median(luma[::SAMPLE_STEP, ::SAMPLE_STEP]))
    return _log_gamma(_part(median, low, high), COMFORTABLE)


def _part(level: float, low: int, high: int) -> float:
    """Where ``level`` lies between black and white, both excluded: their logarithms would not do."""
    return min(max((level - low) / (high - low), 0.02), 0.98)


def _log_gamma(brightness: float, comfortable: tuple[float, float]) -> float:
    target = min(max(brightness, comfortable[0]), comfortable[1])
    gamma = math.log(target) / math.log(brightness)
    return math.log(min(max(gamma, 0.4), 2.5))  # beyond this, noise and banding cost more than light gains


def gamma_table(gamma: float, low: int, high: int) -> NDArray[np.uint8]:
    """(256,) uint8: what each luma value becomes; exactly itself where gamma is 1, outside low to high too."""
    luma = np.arange(256)
    inside = np.clip((luma - low) / (high - low), 0, 1)
    table = np.where((luma < low) | (luma > high), luma, low + inside**gamma * (high - low))
    rounded: NDArray[np.uint8] = np.round(table).astype(np.uint8)
    return rounded


class Brightness(FrameFilter):
    def open(self, options: Any) -> BrightnessStream:
        return BrightnessStream(options)


class BrightnessProvider(FrameFilterProvider):
    api = API
    name = "brightness"
    title = "Brightness"
    licence = "Apache-2.0"
    version = "2"
    options = BrightnessOptions

    def load(self, server_settings: Any, host: Host) -> Brightness:
        return Brightness()


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    return [BrightnessProvider()]
