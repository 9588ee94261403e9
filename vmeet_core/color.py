"""BT.601 conversions between I420 planes and RGB, in numpy (ITU-R BT.601-7, table 3)."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def i420_to_rgb(planes: tuple[Plane, Plane, Plane], size: tuple[int, int], limited: bool) -> Plane:
    """Planes y (h, w), u and v ((h+1)//2, (w+1)//2) to (height, width, 3) uint8 by the nearest pixels of ``size``."""
    full = planes[0].shape
    rows, columns = (np.arange(n) * f // n for n, f in zip(size, full, strict=True))
    y = planes[0][np.ix_(rows, columns)].astype(np.float32)
    u, v = (p[np.ix_(rows // 2, columns // 2)].astype(np.float32) - 128 for p in planes[1:])
    if limited:
        y, u, v = (y - 16) * (255 / 219), u * (255 / 224), v * (255 / 224)
    rgb = np.stack((y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u), axis=-1)
    return np.clip(rgb + 0.5, 0, 255).astype(np.uint8)


def rgb_to_i420(rgb: Plane, limited: bool = True) -> tuple[Plane, Plane, Plane]:
    """(h, w, 3) uint8 to planes y, u, v; chroma is the mean of each 2x2 block."""
    r, g, b = np.moveaxis(rgb.astype(np.float32), -1, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    luma_span, black, chroma_span = (219, 16, 224) if limited else (255, 0, 255)
    return (
        _to_byte(y, luma_span, black),
        _to_byte(_halve((b - y) / 1.772), chroma_span, 128),
        _to_byte(_halve((r - y) / 1.402), chroma_span, 128),
    )


def _halve(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    even = np.pad(plane, [(0, n % 2) for n in plane.shape], mode="edge")
    # What mean() over both axes gives takes six times as long.
    halved: NDArray[np.float32] = (even[::2, ::2] + even[::2, 1::2]) + (even[1::2, ::2] + even[1::2, 1::2])
    halved *= np.float32(0.25)
    return halved


def _to_byte(plane: NDArray[np.float32], span: int, zero: int) -> Plane:
    byte: Plane = np.clip(plane * (span / 255) + zero + 0.5, 0, 255).astype(np.uint8)
    return byte
