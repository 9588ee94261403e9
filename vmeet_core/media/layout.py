"""A grid of pictures on one I420 canvas: where the tiles lie, and painting into them with plane copies."""

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from vmeet_core.color import Plane
from vmeet_core.media.frames import Planes

GAP_PX = 8
BACKGROUND = (28, 128, 128)  #: Y, Cb, Cr; a dark grey


class Rect(NamedTuple):
    """All four are even, so that a chroma sample never belongs to two tiles."""

    x: int
    y: int
    width: int
    height: int


class Patch(NamedTuple):
    """A small picture to lay over another: planes, and how much of them shows, 0 to 256, per luma and chroma sample."""

    planes: Planes
    luma_alpha: np.ndarray[tuple[int, int], np.dtype[np.uint16]]
    chroma_alpha: np.ndarray[tuple[int, int], np.dtype[np.uint16]]


def grid(count: int, width: int, height: int) -> list[Rect]:
    """``count`` equal cells in rows: 1 fills all, 2 lie side by side, 3 and 4 make 2x2; a short row is centred."""
    if count == 0:
        return []
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    gap = GAP_PX if count > 1 else 0
    cell_width = max(2, _even((width - gap * (columns - 1)) / columns))
    cell_height = max(2, _even((height - gap * (rows - 1)) / rows))
    top = _even((height - rows * cell_height - gap * (rows - 1)) / 2)
    cells = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        left = _even((width - in_row * cell_width - gap * (in_row - 1)) / 2)
        y = top + row * (cell_height + gap)
        cells += [Rect(left + i * (cell_width + gap), y, cell_width, cell_height) for i in range(in_row)]
    return cells


def fitted(width: float, height: float, cell: Rect) -> Rect:
    """The largest place inside ``cell``, centred, of the shape of a picture of ``width`` x ``height``."""
    scale = min(cell.width / width, cell.height / height)
    # Rounded to even numbers, up where it fits: a picture as large as its cell must fill it.
    inner_width = max(2, min(cell.width, _even(width * scale + 1)))
    inner_height = max(2, min(cell.height, _even(height * scale + 1)))
    x = cell.x + _even((cell.width - inner_width) / 2)
    return Rect(x, cell.y + _even((cell.height - inner_height) / 2), inner_width, inner_height)


class Canvas:
    """The picture that is made. ``width`` and ``height`` must be even."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        half = (height // 2, width // 2)
        self.planes: Planes = (
            np.empty((height, width), np.uint8),
            np.empty(half, np.uint8),
            np.empty(half, np.uint8),
        )
        self.fill(Rect(0, 0, width, height))

    def fill(self, rect: Rect, color: tuple[int, int, int] = BACKGROUND) -> None:
        for plane, value in zip(self._cut(rect), color, strict=True):
            plane[:] = value

    def paste(self, planes: Planes, rect: Rect) -> None:
        """``planes`` must have the size of ``rect``."""
        for target, source in zip(self._cut(rect), planes, strict=True):
            target[:] = source

    def blend(self, patch: Patch, x: int, y: int) -> None:
        """Lay ``patch`` over what is there, its corner at the even position ``x``, ``y``; cut at the edge."""
        height, width = patch.planes[0].shape
        rect = Rect(x, y, min(width, self.width - x), min(height, self.height - y))
        alphas = (patch.luma_alpha, patch.chroma_alpha, patch.chroma_alpha)
        for target, source, alpha in zip(self._cut(rect), patch.planes, alphas, strict=True):
            rows, columns = target.shape
            part = alpha[:rows, :columns]
            target[:] = (source[:rows, :columns] * part + target * (256 - part)) >> 8

    def _cut(self, rect: Rect) -> tuple[Plane, Plane, Plane]:
        y, u, v = self.planes
        rows, columns = slice(rect.y, rect.y + rect.height), slice(rect.x, rect.x + rect.width)
        half = (slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2))
        return y[rows, columns], u[half], v[half]


def _even(value: float) -> int:
    return int(value) // 2 * 2
