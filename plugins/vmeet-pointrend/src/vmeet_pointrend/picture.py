"""A frame as a network sees it: small, in RGB, of one of a few shapes."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vmeet_core.color import Plane
from vmeet_core.effects.planes import LIMITED, Size, grown, plane_of, shrunk
from vmeet_core.hookspecs import Frame

Pixels = NDArray[np.float32]

#: (height, width) for 16:9, for what lies between 4:3 and 3:2, and for squares; about as many pixels each, sides
#: multiples of 16. Few, since a runtime prepares for each anew.
SHAPES = ((160, 288), (176, 256), (208, 208), (256, 176), (288, 160))


def shape_for(size: Size) -> Size:
    """The shape whose proportions are nearest to those of ``size``, (height, width): people are not squeezed."""
    aspect = math.log(size[1] / size[0])
    return min(SHAPES, key=lambda shape: abs(math.log(shape[1] / shape[0]) - aspect))


def rgb_at(frame: Frame, size: Size) -> Pixels:
    """(3, height, width) float32 RGB in [0, 1], in steps of 1/255; each pixel's luma is the mean of the area it covers.

    The planes are scaled first: so the conversion costs next to nothing.
    """
    planes = cv2.merge([shrunk(frame.y, size), *(roughly(plane, size) for plane in (frame.u, frame.v))])
    rgb = cv2.transform(planes, to_rgb(frame.color == LIMITED))  # what lies outside 0 to 255 is cut off
    return np.multiply(rgb.reshape(*size, 3).transpose(2, 0, 1), np.float32(1 / 255), dtype=np.float32)


def roughly(plane: Plane, size: Size) -> Plane:
    """``plane`` (h, w) uint8 at ``size``: halved as long as it stays half as large again, and then bilinear.

    Means over parts of pixels take five times as long, and for colours no mask was found to be better for them.
    """
    while plane.shape[0] >= 3 * size[0] and plane.shape[1] >= 3 * size[1]:
        half = plane.shape[0] // 2, plane.shape[1] // 2
        plane = plane_of(cv2.resize(plane, half[::-1], interpolation=cv2.INTER_AREA), half)
    return grown(plane, size)


def to_rgb(limited: bool) -> Pixels:
    """(3, 4) float32: RGB of (y, u, v, 1), all from 0 to 255 (ITU-R BT.601-7, table 3)."""
    luma, chroma, black = (255 / 219, 255 / 224, 16) if limited else (1, 1, 0)
    rows = np.array([[luma, 0, 1.402], [luma, -0.344136, -0.714136], [luma, 1.772, 0]]) * (1, chroma, chroma)
    return np.column_stack([rows, rows @ (-black, -128, -128)]).astype(np.float32)
