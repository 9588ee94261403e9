"""The edge between person and background: from a small mask to an opacity that follows the edges of the picture.

The fast guided filter (K. He and J. Sun, "Fast Guided Filter", arXiv:1505.00996, 2015): in every small window the
opacity is taken for a linear function of luma. The functions are found at the mask's size and applied at a larger
one. Where luma does not explain the mask (someone in grey before a grey wall), the mask itself is believed: each
function counts as much as the squared correlation says.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vmeet_core.color import Plane
from vmeet_core.effects.planes import Alpha, Workspace, chroma_size, grown, plane_of, shrunk

Mask = NDArray[np.float32]

RADIUS_PX = 3  #: of the windows, at the mask's size
SMOOTHNESS = 3e-4  #: contrast below its root (luma from 0 to 1) counts as none: the filter's epsilon
CENTRE = 0.5  #: opacity of the middle of the seam: where the network says that person and background are as likely
SHARPEST, SOFTEST = 0.15, 0.3  #: half the seam's width as a part of the opacity, at feather 0 and 1
WIDEST = 0.016  #: the feather's radius at 1, as a part of the picture's shorter side
FINE_PX = 400_000  #: pictures with more pixels get their seam at half the size, where it costs a quarter
_TINY = 1e-4  # variance of a mask that does not change


class SoftEdge:
    """Turns the masks of one stream into opacities."""

    def __init__(self) -> None:
        self._space = Workspace()

    def alpha(self, mask: Mask, small_luma: Plane, luma: Plane, feather: float) -> Alpha:
        """``mask`` (any h, any w) float32 in [0, 1] as opacity for ``luma`` (h, w) uint8; valid until the next call.

        ``small_luma`` is luma at the mask's size, ``feather`` 0 (as sharp as the picture) to 1 (soft). Where the mask
        is 0 or 1 for a few of its pixels around, so is the opacity, exactly.
        """
        half_width = SHARPEST + (SOFTEST - SHARPEST) * feather
        half = chroma_size(luma.shape)
        guide = luma if luma.size <= FINE_PX else shrunk(luma, half)
        alpha = guided(mask, small_luma, guide, CENTRE - half_width, CENTRE + half_width, self._space)
        alpha = feathered(alpha, round(feather * WIDEST * min(alpha.shape)))
        return Alpha(grown(alpha, luma.shape, self._space.plane("luma", luma.shape)), shrunk(alpha, half))


def guided(
    mask: Mask, small_luma: Plane, luma: Plane, low: float = 0.0, high: float = 1.0, space: Workspace | None = None
) -> Plane:
    """Opacity (h, w) uint8, as luma, after the fast guided filter: 0 where it gives ``low``, 255 where ``high``."""
    space = space or Workspace()
    slope, offset = lines(mask, small_luma)
    gain = 255 / (high - low)
    # The stretching from low..high to 0..255 is linear too: it costs less here, where there are few pixels.
    slope *= np.float32(gain / 255)
    offset = (offset - np.float32(low)) * np.float32(gain)
    size = luma.shape
    fine_slope = cv2.resize(slope, size[::-1], dst=space.floats("slope", size)).reshape(size)
    fine_offset = cv2.resize(offset, size[::-1], dst=space.floats("offset", size)).reshape(size)
    product = cv2.multiply(fine_slope, luma, dst=fine_slope, dtype=cv2.CV_32F)
    return plane_of(cv2.add(product, fine_offset, dst=space.plane("alpha", size), dtype=cv2.CV_8U), size)


def lines(mask: Mask, small_luma: Plane) -> tuple[Mask, Mask]:
    """Slope and offset of opacity over luma (0 to 1), for each pixel; all arrays of the mask's shape, float32."""
    luma: Mask = np.multiply(small_luma, 1 / 255, dtype=np.float32)
    luma_mean, mask_mean = _mean(luma), _mean(mask)
    covariance = _mean(luma * mask) - luma_mean * mask_mean
    slope = covariance / (_variance(luma, luma_mean) + np.float32(SMOOTHNESS))
    trust = np.minimum(slope * covariance / (_variance(mask, mask_mean) + np.float32(_TINY)), 1)
    offset = _mean(mask_mean - slope * luma_mean)
    return _mean(slope) * trust, mask + trust * (offset - mask)


def feathered(alpha: Plane, radius_px: int) -> Plane:
    """``alpha`` (h, w) uint8 softened over a third of ``radius_px`` to both sides: the outline stays where it is."""
    if radius_px < 1:
        return alpha
    window = (2 * radius_px + 1,) * 2
    return narrowed(plane_of(cv2.blur(alpha, window), alpha.shape), 1 / 3, 2 / 3)


def narrowed(alpha: Plane, low: float, high: float) -> Plane:
    """``alpha`` (h, w) uint8, its soft band limited: 0 up to ``low``, 255 from ``high`` (of 0 to 1), between a ramp."""
    ramp = np.clip((np.arange(256) / 255 - low) / (high - low), 0, 1)
    return plane_of(cv2.LUT(alpha, np.round(ramp * 255).astype(np.uint8)), alpha.shape)


def _variance(plane: Mask, mean: Mask) -> Mask:
    """(h, w), at least 0: rounding would make it a little less."""
    variance: Mask = np.maximum(_mean(plane * plane) - mean * mean, 0).astype(np.float32, copy=False)
    return variance


def _mean(plane: Mask) -> Mask:
    window = (2 * RADIUS_PX + 1,) * 2
    mean: Mask = cv2.boxFilter(plane, -1, window).astype(np.float32, copy=False)
    return mean.reshape(plane.shape)
