"""Overlap and boundary agreement of two masks."""

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
TOLERANCE, FINE_TOLERANCE = 0.008, 0.004  # of the picture's diagonal


def iou(found: Array, true: Array) -> float:
    union = np.logical_or(found, true).sum()
    return float(np.logical_and(found, true).sum() / union) if union else 1.0


def _boundary(mask: Array) -> Array:
    """The mask's outermost pixels; the picture's edge is no boundary."""
    plane = mask.astype(np.uint8)
    return (plane - cv2.erode(plane, np.ones((3, 3), np.uint8))) > 0


def _near(of: Array, to: Array, distance: float) -> float:
    away = cv2.distanceTransform(1 - to.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((away[of] <= distance).mean())


def boundary_f(found: Array, true: Array, tolerance: float = TOLERANCE) -> float:
    ours, theirs = _boundary(found), _boundary(true)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    distance = max(1.0, tolerance * float(np.hypot(*true.shape)))
    precision, recall = _near(ours, theirs, distance), _near(theirs, ours, distance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
