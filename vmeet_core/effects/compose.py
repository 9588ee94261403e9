"""From a picture and a mask to the picture that others may see."""

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from vmeet_core.color import Plane
from vmeet_core.effects.background import Background, Blur, Colour, Picture
from vmeet_core.effects.light_wrap import LightWrap
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.pictures import built_in
from vmeet_core.effects.planes import blend, check_frame, plane_of, shrunk
from vmeet_core.effects.seam import Mask, SoftEdge
from vmeet_core.effects.temporal import MaskSmoother
from vmeet_core.hookspecs import Frame

_SLACK = 1e-3  # a network's rounding; further outside [0, 1] it is no mask but, say, logits


class Composer:
    """The effect on one person's picture: one for each stream. Not for several threads at once."""

    def __init__(self, options: EffectOptions, pictures: Callable[[str], Plane] = built_in) -> None:
        """``pictures`` gives the RGB array of a name and raises ValueError for an unknown one, as ``update`` then does.

        Each plugin may bring its own, for uploads.
        """
        self._pictures = pictures
        self._options = options
        self._background = self._made(options)
        self._smoother = MaskSmoother(options.smoothing)
        self._edge = SoftEdge()
        self._wrap = LightWrap()

    def update(self, options: EffectOptions) -> None:
        """Holds from the next picture on. Raises ValueError for an unknown picture, and leaves all as it was."""
        if _behind(options) != _behind(self._options):
            self._background = self._made(options)
        self._smoother.smoothing = options.smoothing
        self._options = options

    def compose(self, frame: Frame, mask: Mask, pts_s: float) -> Frame:
        """A new frame with the size and colours of ``frame``, of which it shows what ``mask`` says, and no more.

        Other filters are told where the person is (``Frame.person``).

        ``mask`` is (any h, any w) float32 from 0 (background) to 1 (person), for the whole picture whatever its own
        size; 256x144 is enough. ``pts_s`` is the picture's time. Raises ValueError for a frame that is no I420, and
        for a mask of another type, with NaN or with values outside [0, 1]: no picture is better than the raw one.
        """
        check_frame(frame)
        check_mask(mask)
        if not math.isfinite(pts_s):
            raise ValueError(f"a picture has a time, not {pts_s}")
        options = self._options
        small_luma = shrunk(frame.y, mask.shape)
        calm = self._smoother.smooth(np.clip(mask, 0, 1), small_luma, pts_s)
        alpha = self._edge.alpha(calm, small_luma, frame.y, options.feather)
        behind, light = self._background.backdrop(frame, alpha)
        seen = blend(self._wrap.lit(frame, light, alpha, options.light_wrap), behind, alpha)
        return replace(seen, person=plane_of(cv2.convertScaleAbs(calm, alpha=255), calm.shape))

    def _made(self, options: EffectOptions) -> Background:
        if options.effect == "blur":
            return Blur(options.strength)
        if options.background.startswith("#"):
            return Colour(options.background)
        return Picture(self._pictures(options.background))


def _behind(options: EffectOptions) -> tuple[str, float | str]:
    """What of the options the background is made of: a change of the others keeps its cache."""
    return options.effect, options.strength if options.effect == "blur" else options.background


def check_mask(mask: Mask) -> None:
    """Raises ValueError unless it is (h, w) float32 in [0, 1]."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.float32 or not mask.size:
        shape = f"{mask.shape} {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ValueError(f"a mask is (height, width) float32, not {shape}")
    if not cv2.checkRange(mask, True, minVal=-_SLACK, maxVal=1 + _SLACK)[0]:
        raise ValueError("a mask lies between 0 and 1; this one has NaN or other values")
