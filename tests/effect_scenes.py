"""Scenes for the tests of effects: a person whose outline is known, before rooms whose pattern is known."""

import cv2
import numpy as np

from vmeet_core.effects.planes import chroma_size
from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame

HD = (720, 1280)


def outline(size: tuple[int, int], shift: float = 0.0) -> Mask:
    """(h, w) float32, 1 inside a head with shoulders and 0 outside; ``shift`` to the right, in parts of the width."""
    y, x = np.ogrid[0 : 1 : size[0] * 1j, 0 : 1 : size[1] * 1j]
    head = ((x - 0.5 - shift) / 0.11) ** 2 + ((y - 0.36) / 0.2) ** 2 < 1
    body = ((x - 0.5 - shift) / 0.28) ** 2 + ((y - 1.0) / 0.42) ** 2 < 1
    return (head | body).astype(np.float32)


def seen_by_a_network(person: Mask, size: tuple[int, int] = (144, 256)) -> Mask:
    """The outline as a network would give it: small, with an edge that is a little soft."""
    small = cv2.resize(person, size[::-1], interpolation=cv2.INTER_AREA)
    return np.clip(cv2.GaussianBlur(small, (0, 0), 0.7), 0, 1).astype(np.float32)


def checkers(size: tuple[int, int], cell_px: int = 24, low: int = 40, high: int = 220) -> Frame:
    """A room that nobody overlooks, grey."""
    y, x = np.ogrid[: size[0], : size[1]]
    luma = np.where((y // cell_px + x // cell_px) % 2, high, low).astype(np.uint8)
    return grey(luma)


def grey(luma: np.ndarray) -> Frame:
    chroma = np.full(chroma_size(luma.shape), 128, np.uint8)
    return Frame(luma, chroma, chroma.copy())


def plain(size: tuple[int, int], y: int, u: int = 128, v: int = 128, color: str = "bt601-limited") -> Frame:
    half = chroma_size(size)
    return Frame(np.full(size, y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8), color)


def before(person: Mask, front: Frame, room: Frame) -> Frame:
    """``front`` where the outline is, ``room`` elsewhere, both as sharp as can be."""
    half = person[::2, ::2] > 0
    u, v = np.where(half, front.u, room.u), np.where(half, front.v, room.v)
    return Frame(np.where(person > 0, front.y, room.y), u, v, room.color)


def locked(frame: Frame) -> Frame:
    """Read-only, as plugins get it."""
    for plane in (frame.y, frame.u, frame.v):
        plane.flags.writeable = False
    return frame


def inner(person: Mask, margin_px: int) -> np.ndarray:
    """True further inside than ``margin_px``."""
    return cv2.erode(person, np.ones((2 * margin_px + 1,) * 2), borderValue=1) > 0


def outer(person: Mask, margin_px: int) -> np.ndarray:
    """True further outside than ``margin_px``."""
    return cv2.dilate(person, np.ones((2 * margin_px + 1,) * 2)) == 0
