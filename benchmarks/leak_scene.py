"""What the camera of the leak test sees, and how it is found again: a known pattern behind a person.

The picture is a grid of 16 x 9 cells. Behind the person it is a checkerboard, which a filter paints over; a cell is 20
pixels wide in the small picture, so that it survives the codec. Both carry the number of the picture as black and
white blocks: that of the background says when what is seen of the background was captured, that of the person the same
of the person. A receiver's decoder may go on from an old picture, so they need not be the same.
"""

import zlib
from typing import NamedTuple

import numpy as np

from vmeet_core.color import Plane
from vmeet_core.media.frames import Planes

COLUMNS, ROWS = 16, 9
PERSON = (5, 3, 11, 8)  #: left, top, right and bottom in cells
DARK, BRIGHT, PERSON_LEVEL = 70, 190, 128
PATTERN_CONTRAST = (BRIGHT - DARK) / 2
BLACK, WHITE = 40, 215
NUMBER_BITS, CHECK_BITS = 16, 8
BITS = NUMBER_BITS + CHECK_BITS
NUMBERS = 1 << NUMBER_BITS
CARD_LEVEL = 58  #: of the card around its disc
MIN_BIT_CONTRAST = 30  #: of a block against the middle: less is no number
RAW_CONTRAST = 6.0  #: a tenth of the pattern: in one tile of two by two cells it is enough
_INSIDE = np.array((0.25, 0.375, 0.5, 0.625, 0.75))  # where a cell is looked at: its edges are blurred
_SIGNS = np.where(np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) % 2, 1.0, -1.0)
_HALF = 0.5  # of a cell: the width of a block


class Look(NamedTuple):
    """What one picture shows. ``contrast`` is that of the pattern in the tile where most of it is seen; the numbers
    are None where they cannot be read; ``level`` is the brightness beside the person.
    """

    height_px: int
    contrast: float
    background: int | None
    person: int | None
    level: float

    @property
    def is_raw(self) -> bool:
        """Whether anything of the background is seen."""
        return self.contrast > RAW_CONTRAST

    @property
    def is_card(self) -> bool:
        """Whether it is the card in place of the person."""
        return not self.is_raw and self.person is None and abs(self.level - CARD_LEVEL) < 12


def draw(number: int, width_px: int, height_px: int) -> Planes:
    """The picture of this number; sides are multiples of the grid for a sharp pattern."""
    y = _background(width_px, height_px)
    left, top, right, bottom = person_box(width_px, height_px)
    y[top:bottom, left:right] = PERSON_LEVEL
    for bit, (row, column) in zip(bits(number), BACKGROUND_BLOCKS, strict=True):
        _paint(y, row, 1.0, column, bit)
    for bit, (row, column) in zip(bits(number), PERSON_BLOCKS, strict=True):
        _paint(y, row, _HALF, column, bit)
    half = np.full(((height_px + 1) // 2, (width_px + 1) // 2), 128, np.uint8)
    return y, half, half


def person_box(width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the person, in pixels."""
    left, top, right, bottom = PERSON
    cell_px = np.array((width_px / COLUMNS, height_px / ROWS) * 2)
    found = np.round(np.array((left, top, right, bottom)) * cell_px).astype(int)
    return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def bits(number: int) -> list[bool]:
    """A number as blocks, its check sum last: what is no number at all must not pass for one."""
    check = zlib.crc32(number.to_bytes(NUMBER_BITS // 8)) & (1 << CHECK_BITS) - 1
    whole = number << CHECK_BITS | check
    return [bool(whole >> place & 1) for place in reversed(range(BITS))]


def look(y: Plane) -> Look:
    """What a picture's luma shows, whatever its size."""
    cells = _sampled(y, np.arange(ROWS), np.arange(COLUMNS), 1.0)
    signed = cells * _SIGNS
    tiles = np.abs(signed[1:].reshape(4, 2, COLUMNS // 2, 2).mean(axis=(1, 3)))
    return Look(
        height_px=y.shape[0],
        contrast=float(tiles[_BACKGROUND_TILES].max()),
        background=_read(y, BACKGROUND_BLOCKS, 1.0),
        person=_read(y, PERSON_BLOCKS, _HALF),
        level=float(cells[1:3, [0, 1, 14, 15]].mean()),
    )


def _background(width_px: int, height_px: int) -> Plane:
    rows = np.arange(height_px) * ROWS // height_px
    columns = np.arange(width_px) * COLUMNS // width_px
    return np.where(np.add.outer(rows, columns) % 2, BRIGHT, DARK).astype(np.uint8)


def _paint(y: Plane, row: float, rows: float, column: float, bit: bool) -> None:
    cell_height_px, cell_width_px = y.shape[0] / ROWS, y.shape[1] / COLUMNS
    top, bottom = round(row * cell_height_px), round((row + rows) * cell_height_px)
    left, right = round(column * cell_width_px), round((column + _HALF) * cell_width_px)
    y[top:bottom, left:right] = WHITE if bit else BLACK


def _sampled(y: Plane, rows: np.ndarray, columns: np.ndarray, width: float) -> np.ndarray:
    """Mean brightness inside each cell that begins at these places; ``width`` in cells."""
    down = (np.add.outer(rows, _INSIDE).ravel() * y.shape[0] / ROWS).astype(int)
    right = (np.add.outer(columns, _INSIDE * width).ravel() * y.shape[1] / COLUMNS).astype(int)
    points: np.ndarray = y[np.ix_(down, right)].astype(np.float32)
    return points.reshape(len(rows), len(_INSIDE), len(columns), len(_INSIDE)).mean(axis=(1, 3))


def _read(y: Plane, blocks: list[tuple[float, float]], rows: float) -> int | None:
    levels = []
    for row in dict.fromkeys(row for row, _ in blocks):
        columns = np.array([column for at, column in blocks if at == row])
        middle = np.array((row + rows / 2 - 0.5,))  # the middle half of a cell around the middle of the block
        levels += _thin(y, middle, columns, rows)
    away = np.array(levels) - (BLACK + WHITE) / 2
    if np.abs(away).min() < MIN_BIT_CONTRAST:
        return None
    whole = int("".join("1" if each > 0 else "0" for each in away), 2)
    number = whole >> CHECK_BITS
    return number if bits(number) == [bool(whole >> place & 1) for place in reversed(range(BITS))] else None


def _thin(y: Plane, middle: np.ndarray, columns: np.ndarray, rows: float) -> list[float]:
    spread = (_INSIDE - 0.5) * rows + 0.5
    down = (np.add.outer(middle, spread).ravel() * y.shape[0] / ROWS).astype(int)
    right = (np.add.outer(columns, _INSIDE * _HALF).ravel() * y.shape[1] / COLUMNS).astype(int)
    points = y[np.ix_(down, right)].astype(np.float32)
    found: list[float] = points.reshape(len(_INSIDE), len(columns), len(_INSIDE)).mean(axis=(0, 2)).tolist()
    return found


def _tiles() -> np.ndarray:
    """The tiles beside the person, and beside the disc of a card."""
    mask = np.ones((4, COLUMNS // 2), bool)
    mask[1:, 2:6] = False
    mask[0, 3:5] = False
    return mask


_BACKGROUND_TILES = _tiles()
BACKGROUND_BLOCKS = [(0.0, 2 + _HALF * place) for place in range(BITS)]
PERSON_BLOCKS = [(4.0 + place // 12, PERSON[0] + _HALF * (place % 12)) for place in range(BITS)]
