"""Pictures on one I420 canvas: where the tiles lie, and painting into them with plane copies."""

from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from vmeet_core.color import Plane
from vmeet_core.media.frames import Planes

GAP_PX = 8
STRIP_TILE = 0.2  #: of the canvas's long side, at most, for a tile beside a large picture
STRIP = 0.34  #: the same, for all of them
_TILE_SHAPE = 16 / 9
_GOOD_TILE = 0.75  # of the largest tile that more lines would give, at the cost of what is large
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


def stage(large: int, small: int, width: int, height: int) -> tuple[list[Rect], list[Rect]]:
    """Cells of ``large`` pictures in a grid that take most of the canvas, and of ``small`` ones in a strip beside it.

    The strip is at the right, or below where the canvas is upright; where they are many it has several lines.
    Without either kind the other one has all of the canvas.
    """
    if not large or not small:
        return grid(large, width, height), grid(small, width, height)
    if width < height:
        above, below = _stage(large, small, height, width, 1 / _TILE_SHAPE)
        return [_turned(cell) for cell in above], [_turned(cell) for cell in below]
    return _stage(large, small, width, height, _TILE_SHAPE)


def _stage(large: int, small: int, along: int, across: int, shape: float) -> tuple[list[Rect], list[Rect]]:
    """Side by side; ``along`` is the side of the canvas that strip and large pictures share, ``shape`` a tile's."""
    sizes = [_tile_px(small, lines, along, across, shape) for lines in range(1, small + 1)]
    lines = next(lines for lines, size in enumerate(sizes, start=1) if size >= _GOOD_TILE * max(sizes))
    tile = max(2, _even(sizes[lines - 1]))
    depth = max(2, _even(tile / shape))
    left = along - lines * tile - (lines - 1) * GAP_PX
    in_line = ceil(small / lines)
    cells = []
    for number in range(small):
        line, place = divmod(number, in_line)
        count = min(in_line, small - line * in_line)
        top = _even((across - count * depth - (count - 1) * GAP_PX) / 2)
        cells.append(Rect(left + line * (tile + GAP_PX), top + place * (depth + GAP_PX), tile, depth))
    if shape > 1:
        return grid(large, left - GAP_PX, across), cells
    return [_turned(cell) for cell in grid(large, across, left - GAP_PX)], cells


def _tile_px(count: int, lines: int, along: int, across: int, shape: float) -> float:
    """How long a tile of a strip of so many lines may be."""
    in_line = ceil(count / lines)
    depth = (across - (in_line - 1) * GAP_PX) / in_line
    return min(STRIP_TILE * along, (STRIP * along - (lines - 1) * GAP_PX) / lines, depth * shape)


def _turned(cell: Rect) -> Rect:
    return Rect(cell.y, cell.x, cell.height, cell.width)


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
