"""Arithmetic on the planes of an I420 picture, which every effect shares."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Frame

Size = tuple[int, int]  # (height, width)
Floats = NDArray[np.float32]

LIMITED, FULL = "bt601-limited", "bt601-full"
_STRIP_PX = 40_960  # what is mixed at once: its 16-bit intermediates stay in the processor's nearest cache


class Alpha(NamedTuple):
    """How much of the person each pixel shows, 0 to 255: luma (h, w) and chroma ((h+1)//2, (w+1)//2), uint8."""

    luma: Plane
    chroma: Plane


class Workspace:
    """Arrays of one stream, used again for every picture.

    Fresh ones come from the system page by page: that was measured to double the time of an effect.
    """

    def __init__(self) -> None:
        self._planes: dict[str, Plane] = {}
        self._floats: dict[str, Floats] = {}

    def plane(self, name: str, size: Size) -> Plane:
        """(h, w) uint8 with whatever it held before."""
        if name not in self._planes or self._planes[name].shape != size:
            self._planes[name] = np.empty(size, np.uint8)
        return self._planes[name]

    def floats(self, name: str, size: Size) -> Floats:
        """(h, w) float32 with whatever it held before."""
        if name not in self._floats or self._floats[name].shape != size:
            self._floats[name] = np.empty(size, np.float32)
        return self._floats[name]


def chroma_size(size: Size) -> Size:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def check_frame(frame: Frame) -> None:
    """Raises ValueError for planes that do not belong together, or colours that are not known."""
    wanted = chroma_size(frame.y.shape)
    if not frame.y.size or frame.u.shape != wanted or frame.v.shape != wanted:
        raise ValueError(f"no I420 picture: y {frame.y.shape}, u {frame.u.shape}, v {frame.v.shape}")
    if any(plane.dtype != np.uint8 for plane in (frame.y, frame.u, frame.v)):
        raise ValueError(f"planes are uint8, not {frame.y.dtype}, {frame.u.dtype}, {frame.v.dtype}")
    if frame.color not in (LIMITED, FULL):
        raise ValueError(f"the colours {frame.color!r} are neither {LIMITED} nor {FULL}")


def shrunk(plane: Plane, size: Size) -> Plane:
    """``plane`` (h, w) uint8 at ``size``, each pixel the mean of the area that it covers."""
    if plane.shape == size:
        return plane
    return plane_of(cv2.resize(_halved(plane, size), size[::-1], interpolation=cv2.INTER_AREA), size)


def _halved(plane: Plane, size: Size) -> Plane:
    """``plane`` as it is, or halved while it is four times as large as ``size`` or more.

    A mean over parts of pixels takes OpenCV three times as long as over whole ones, and twos are whole ones: 0.27 ms
    instead of 0.78 ms from 720p to 288x160.
    """
    while plane.shape[0] % size[0] or plane.shape[1] % size[1]:
        half = plane.shape[0] // 2, plane.shape[1] // 2
        if plane.shape[0] % 2 or plane.shape[1] % 2 or half[0] < 2 * size[0] or half[1] < 2 * size[1]:
            break
        plane = plane_of(cv2.resize(plane, half[::-1], interpolation=cv2.INTER_AREA), half)
    return plane


def grown(plane: Plane, size: Size, out: Plane | None = None) -> Plane:
    """``plane`` (h, w) uint8 at ``size``, bilinear; written to ``out`` where that is given."""
    if plane.shape == size:
        return plane
    return plane_of(cv2.resize(plane, size[::-1], dst=out, interpolation=cv2.INTER_LINEAR), size)


def plane_of(result: NDArray[np.integer | np.floating], size: Size) -> Plane:
    """What OpenCV gave, as the uint8 plane that it is; without a copy."""
    plane: Plane = result.astype(np.uint8, copy=False).reshape(size)
    return plane


def blend(front: Frame, back: Frame, alpha: Alpha, space: Workspace | None = None) -> Frame:
    """``front`` where alpha is 255, ``back`` where it is 0, both to the bit; between them rounded to the nearest.

    The frame is new, or lies in ``space`` until the next call with it.
    """
    outs = [None] * 3 if space is None else [space.plane(name, getattr(front, name).shape) for name in "yuv"]
    return Frame(
        mixed(front.y, back.y, alpha.luma, outs[0]),
        mixed(front.u, back.u, alpha.chroma, outs[1]),
        mixed(front.v, back.v, alpha.chroma, outs[2]),
        front.color,
    )


def mixed(front: Plane, back: Plane, alpha: Plane, out: Plane | None = None) -> Plane:
    """(front * alpha + back * (255 - alpha)) / 255, rounded; all (h, w) uint8.

    The division is exact: (x + 128 + ((x + 128) >> 8)) >> 8 (J. F. Blinn, "Three wrongs make a right", 1995).
    """
    height, width = alpha.shape
    out = np.empty((height, width), np.uint8) if out is None else out
    rows = max(1, _STRIP_PX // width)
    total, other = (np.empty((rows, width), np.uint16) for _ in range(2))
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        x, y = total[: height - top], other[: height - top]
        np.multiply(front[part], alpha[part], out=x, dtype=np.uint16)
        np.multiply(back[part], ~alpha[part], out=y, dtype=np.uint16)
        x += y
        x += 128
        np.right_shift(x, 8, out=y)
        x += y
        np.right_shift(x, 8, out=x)
        out[part] = x
    return out
