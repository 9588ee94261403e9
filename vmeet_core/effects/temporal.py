"""The mask over time: calm where the picture stands still, free where it moves."""

import math

import cv2
import numpy as np

from vmeet_core.color import Plane
from vmeet_core.effects.seam import Mask

LONGEST_GAP_S = 0.5  #: after a longer one nothing that was remembered is true any more
LONGEST_MEMORY_S = 0.3  #: time constant at smoothing 1
MOTION = 2.5  #: a change of luma that counts as motion, in steps of 255; camera noise, averaged, stays below
_AROUND_PX = 5  # side of the window over which change is averaged: motion frees what is near, noise does not


class MaskSmoother:
    """Remembers the mask of one stream, each pixel as long as its luma stays what it was.

    An exponential mean whose weight falls with the change of luma against the luma that belongs to what is
    remembered, which is averaged alike: noise cancels out, and slow motion adds up until it counts.
    """

    def __init__(self, smoothing: float) -> None:
        """``smoothing`` from 0 (none) to 1."""
        self.smoothing = smoothing
        self._mask: Mask | None = None
        self._luma: Mask | None = None
        self._pts_s = -math.inf

    def reset(self) -> None:
        self._mask = self._luma = None

    def smooth(self, mask: Mask, luma: Plane, pts_s: float) -> Mask:
        """``mask`` (h, w) float32 in [0, 1] and ``luma`` (h, w) uint8 of the same moment; the calmed mask, as large.

        It starts anew when the size changes, after half a second without a picture, and when time goes back.
        """
        elapsed_s, self._pts_s = pts_s - self._pts_s, pts_s
        now = luma.astype(np.float32)
        fits = self._mask is not None and self._mask.shape == mask.shape
        if self._mask is None or self._luma is None or not fits or not 0 <= elapsed_s <= LONGEST_GAP_S:
            self._mask, self._luma = mask.copy(), now
            return self._mask
        kept = _memory(self.smoothing, elapsed_s) * stillness(now, self._luma)
        self._mask = mask + kept * (self._mask - mask)
        self._luma = now + kept * (self._luma - now)
        return self._mask


def stillness(luma: Mask, before: Mask) -> Mask:
    """1 where nothing moved, towards 0 where luma (h, w, of 0 to 255) changed; float32."""
    change = cv2.blur(cv2.absdiff(luma, before), (_AROUND_PX, _AROUND_PX)).reshape(luma.shape)
    share: Mask = np.exp(-((change / np.float32(MOTION)) ** 2)).astype(np.float32, copy=False)
    return share


def _memory(smoothing: float, elapsed_s: float) -> np.float32:
    """How much of what is remembered stays after ``elapsed_s`` where nothing moves."""
    constant_s = smoothing * LONGEST_MEMORY_S
    return np.float32(math.exp(-elapsed_s / constant_s) if constant_s else 0.0)
