"""How well one mask agrees with another: bool arrays (height, width), True where there is a person."""

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
BOUNDARY_TOLERANCE = 0.008  #: of the diagonal (Martin et al., 2004; Perazzi et al., 2016)


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int(np.count_nonzero(mask | truth))
    return int(np.count_nonzero(mask & truth)) / union if union else 1.0


def boundary_f(mask: Mask, truth: Mask) -> float:
    """The harmonic mean of how much of each boundary lies near the other, 0 to 1.

    D. R. Martin et al., "Learning to detect natural image boundaries", IEEE TPAMI 26(5), 2004; with the boundaries, the
    tolerance and the empty cases as F. Perazzi et al. have them (DAVIS, CVPR 2016).
    """
    radius_px = math.ceil(BOUNDARY_TOLERANCE * math.hypot(*mask.shape))
    edges = boundary(mask), boundary(truth)
    counts = [int(np.count_nonzero(edge)) for edge in edges]
    if not all(counts):
        return 0.0 if any(counts) else 1.0
    near = [int(np.count_nonzero(edge & grown(other, radius_px))) for edge, other in (edges, edges[::-1])]
    precision, recall = near[0] / counts[0], near[1] / counts[1]
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary(mask: Mask) -> Mask:
    """The pixels that differ from their right, lower or lower right neighbour."""
    beyond = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    edge: Mask = (mask ^ beyond[:-1, 1:]) | (mask ^ beyond[1:, :-1]) | (mask ^ beyond[1:, 1:])
    return edge


def grown(mask: Mask, radius_px: int) -> Mask:
    """Every pixel within ``radius_px`` of one that is set: dilation by a disk, a row of the disk at a time."""
    height, width = mask.shape
    before = np.zeros((height, width + 2 * radius_px + 1), np.int32)
    np.cumsum(np.pad(mask, ((0, 0), (radius_px, radius_px))), axis=1, out=before[:, 1:])
    wide: Mask = np.zeros_like(mask)
    for dy in range(-min(radius_px, height - 1), min(radius_px, height - 1) + 1):
        half = math.isqrt(radius_px**2 - dy**2)
        left, right = radius_px - half, radius_px + half + 1
        run = before[:, right : right + width] > before[:, left : left + width]
        wide[max(0, -dy) : height - max(0, dy)] |= run[max(0, dy) : height - max(0, -dy)]
    return wide
