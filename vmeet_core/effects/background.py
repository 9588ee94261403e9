"""What is put behind the person: the blurred room, a colour, or a picture."""

import math
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import NamedTuple

import cv2
import numpy as np

from vmeet_core.color import Plane, rgb_to_i420
from vmeet_core.effects.planes import LIMITED, Alpha, Floats, Size, Workspace, chroma_size, grown, plane_of, shrunk
from vmeet_core.hookspecs import Frame

WEAKEST_BLUR = 0.01  #: standard deviation at strength 0, as a part of the picture's shorter side
STRONGEST_BLUR = 0.06
FRINGE = 0.01  #: this far around the person nothing is taken for background, as a part of the shorter side
LIGHT = 0.06  #: how far a picture's light spreads: standard deviation, as a part of the shorter side
_TRACE = 0.002  # the weight of the mean colour: it decides only where no background is near
_KEPT_SIZES = 2  # a person's picture comes in two sizes, each with a background in the cache


class Backdrop(NamedTuple):
    """Both of the size and colours of the frame that was asked for, valid until the next call, not to be changed."""

    behind: Frame
    light: Frame  #: what falls from it on the person: ``behind`` without detail


class Background(ABC):
    @abstractmethod
    def backdrop(self, frame: Frame, alpha: Alpha) -> Backdrop:
        """What is behind the person of ``frame``, whom ``alpha`` shows. Whatever alpha hides has no meaning."""


class Blur(Background):
    """The room, blurred as though the person were not there.

    Normalised convolution (H. Knutsson and C.-F. Westin, "Normalized and differential convolution", CVPR 1993): the
    room is blurred with the person's pixels set to 0, and so is the map of what is room; the first is divided by the
    second. The person therefore gives no halo. All of it happens on planes that were shrunk first.
    """

    def __init__(self, strength: float) -> None:
        """``strength`` 0 (details are lost) to 1 (only light and shade remain)."""
        self._spread = WEAKEST_BLUR + (STRONGEST_BLUR - WEAKEST_BLUR) * strength
        self._space = Workspace()

    def backdrop(self, frame: Frame, alpha: Alpha) -> Backdrop:
        size, half = frame.y.shape, alpha.chroma.shape
        planes = (shrunk(frame.y, half), frame.u, frame.v)
        y, u, v = blurred_without(planes, room(alpha.chroma), self._spread * min(half))
        place = self._space.plane
        behind = (grown(y, size, place("y", size)), grown(u, half, place("u", half)), grown(v, half, place("v", half)))
        return Backdrop(*[Frame(*behind, frame.color)] * 2)


class Colour(Background):
    """One colour, given as ``#rrggbb``."""

    def __init__(self, colour: str) -> None:
        """Raises ValueError for anything but # and six hexadecimal digits."""
        if len(colour) != 7 or colour[0] != "#":
            raise ValueError(f"{colour!r} is no colour such as #20603c")
        self._rgb = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8).reshape(1, 1, 3)
        self._kept: Frame | None = None

    def backdrop(self, frame: Frame, alpha: Alpha) -> Backdrop:
        if self._kept is None or self._kept.y.shape != frame.y.shape or self._kept.color != frame.color:
            y, u, v = (int(p[0, 0]) for p in rgb_to_i420(self._rgb, frame.color == LIMITED))
            size, half = frame.y.shape, alpha.chroma.shape
            planes = np.full(size, y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8)
            self._kept = locked(Frame(*planes, frame.color))
        return Backdrop(self._kept, self._kept)


class Picture(Background):
    """A picture, scaled and cropped to cover; converted once for each size."""

    def __init__(self, rgb: Plane) -> None:
        """``rgb`` (height, width, 3) uint8; it is kept, not copied. Raises ValueError for another array."""
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise ValueError(f"a picture is (height, width, 3) uint8, not {rgb.shape} {rgb.dtype}")
        self._rgb = rgb
        self._kept: OrderedDict[tuple[Size, str], Backdrop] = OrderedDict()

    def backdrop(self, frame: Frame, alpha: Alpha) -> Backdrop:
        key = frame.y.shape, frame.color
        if key not in self._kept:
            self._kept[key] = self._fitted(*key)
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT_SIZES:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _fitted(self, size: Size, color: str) -> Backdrop:
        behind = Frame(*rgb_to_i420(covering(self._rgb, size), color == LIMITED), color)
        half = chroma_size(size)
        everywhere = np.full(half, 255, np.uint8)
        y, u, v = blurred_without((shrunk(behind.y, half), behind.u, behind.v), everywhere, LIGHT * min(half))
        light = Frame(grown(y, size), grown(u, half), grown(v, half), color)
        return Backdrop(locked(behind), locked(light))


def locked(frame: Frame) -> Frame:
    """The same frame, read-only from now on: it is shared by all calls."""
    for plane in (frame.y, frame.u, frame.v):
        plane.flags.writeable = False
    return frame


def covering(rgb: Plane, size: Size) -> Plane:
    """The middle of ``rgb`` (any h, any w, 3) with the shape of ``size``, scaled to (height, width, 3)."""
    scale = max(wanted / given for wanted, given in zip(size, rgb.shape[:2], strict=True))
    height, width = (
        min(given, max(1, round(wanted / scale))) for wanted, given in zip(size, rgb.shape[:2], strict=True)
    )
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    middle = rgb[top : top + height, left : left + width]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    covered: Plane = cv2.resize(middle, size[::-1], interpolation=how).astype(np.uint8, copy=False)
    return covered


def room(alpha: Plane) -> Plane:
    """255 where there is background and nothing else, 0 at the person and a little around; (h, w) uint8, as alpha."""
    reach = 2 * round(FRINGE * min(alpha.shape)) + 3
    near = cv2.dilate(alpha, np.ones((reach, reach), np.uint8))
    return plane_of(cv2.threshold(near, 12, 255, cv2.THRESH_BINARY_INV)[1], alpha.shape)


def blurred_without(planes: tuple[Plane, Plane, Plane], outside: Plane, sigma_px: float) -> tuple[Plane, Plane, Plane]:
    """The planes blurred, only from pixels whose ``outside`` is 255 (the others are 0), and smaller than given.

    All (h, w) uint8; ``sigma_px`` is the standard deviation at the size given. Far from any such pixel the result
    is their mean, and grey where there are none.
    """
    # A power of two, since shrinking by a whole number costs half.
    factor = 2 ** int(math.log2(max(1.0, sigma_px / 1.7)))
    small = max(1, outside.shape[0] // factor), max(1, outside.shape[1] // factor)
    known = [shrunk(plane & outside, small) for plane in planes]
    stacked = np.stack([*known, shrunk(outside, small)], axis=-1).astype(np.float32)
    mean = mean_colour(stacked)
    blurred = cv2.GaussianBlur(stacked, (0, 0), sigma_px / factor).reshape(stacked.shape)
    sums, weight = blurred[..., :3], blurred[..., 3:] / 255
    colours = np.clip((sums + _TRACE * mean) / (weight + _TRACE) + 0.5, 0, 255).astype(np.uint8)
    y, u, v = (np.ascontiguousarray(colours[..., i]) for i in range(3))
    return y, u, v


def mean_colour(stacked: Floats) -> Floats:
    """(3,): of (h, w, 4), three planes times a weight, and that weight (0 to 255); grey where all weigh nothing."""
    *sums, weight = stacked.sum(axis=(0, 1), dtype=np.float64)
    return np.array(sums if weight else (128, 128, 128), np.float32) / np.float32(weight / 255 if weight else 1)
