"""The core's own plugin: ``brightness``, a live filter that lifts dark pictures and calms glaring ones.

It moves the median brightness towards a comfortable range with a gamma curve (Gonzalez and Woods, Digital Image
Processing, 3.2.3), applied to the luma plane through a table of 256 entries.
"""

import math
from typing import Any

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


class BrightnessOptions(Options):
    strength: float = Field(
        1.0, ge=0, le=1, title="Strength", description="0 leaves the picture alone, 1 corrects it fully"
    )
    settle_s: float = Field(
        1.0, ge=0, le=10, title="Settling time", description="how slowly it follows a change of light, in seconds"
    )


class BrightnessStream(FrameStream):
    """The state of one picture: the gamma in force and when it was last moved."""

    def __init__(self, options: BrightnessOptions) -> None:
        self._options = options
        self._log_gamma = 0.0
        self._last_pts_s: float | None = None

    def update(self, options: BrightnessOptions) -> None:
        self._options = options

    def process(self, frame: Frame, pts_s: float) -> Frame:
        low, high = (16, 235) if frame.color == "bt601-limited" else (0, 255)
        self._settle(wanted_log_gamma(frame.y, low, high) * self._options.strength, pts_s)
        # Copies, since the input is valid only during the call.
        luma = gamma_table(math.exp(self._log_gamma), low, high)[frame.y]
        return Frame(luma, frame.u.copy(), frame.v.copy(), frame.color)

    def _settle(self, wanted: float, pts_s: float) -> None:
        """Move towards ``wanted`` exponentially; the first picture is corrected at once."""
        elapsed_s = max(0.0, pts_s - self._last_pts_s) if self._last_pts_s is not None else math.inf
        settle_s = self._options.settle_s
        share = 1 - math.exp(-elapsed_s / settle_s) if settle_s else 1.0
        self._log_gamma += share * (wanted - self._log_gamma)
        self._last_pts_s = pts_s


def wanted_log_gamma(luma: NDArray[np.uint8], low: int, high: int) -> float:
    """The logarithm of the gamma that brings the median of ``luma`` (h, w) just into the comfortable range."""
    median = float(np.median(luma[::SAMPLE_STEP, ::SAMPLE_STEP]))
    brightness = min(max((median - low) / (high - low), 0.02), 0.98)
    target = min(max(brightness, COMFORTABLE[0]), COMFORTABLE[1])
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
    version = "1"
    options = BrightnessOptions

    def load(self, server_settings: Any, host: Host) -> Brightness:
        return Brightness()


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    return [BrightnessProvider()]
