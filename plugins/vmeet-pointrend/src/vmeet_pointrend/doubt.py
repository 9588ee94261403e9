"""Doubtful patches of a mask: islands that may be nobody, and holes that may be no hole.

Thresholding with hysteresis (J. Canny, "A Computational Approach to Edge Detection", IEEE TPAMI 8(6), 1986): a patch of
person counts only if the network is sure of it somewhere, and so does a hole in somebody. A chair that is a person by
a hair would show a piece of the room, and come and go.
"""

import cv2
import numpy as np

from vmeet_core.effects.seam import Mask

MIDDLE = 0.5  #: patches are what lies above, or below, all of a piece
SURE_PERSON, SURE_BACKGROUND = 0.9, 0.2  #: found with the held-out photos of train/evaluate.py
_SKIRT = np.ones((5, 5), np.uint8)  # how far a patch is felt around it


def settled(mask: Mask) -> Mask:
    """(h, w) float32 in [0, 1]; where nothing is doubtful it is ``mask`` itself, otherwise a new array."""
    mask = _without_islands(mask, SURE_PERSON)
    background = 1 - mask
    filled = _without_islands(background, 1 - SURE_BACKGROUND)
    return mask if filled is background else 1 - filled


def _without_islands(mask: Mask, sure: float) -> Mask:
    """``mask``, 0 in those of its patches that nowhere reach ``sure``, and in what of them is seen around them."""
    count, labels = cv2.connectedComponents((mask > MIDDLE).astype(np.uint8), connectivity=8, ltype=cv2.CV_16U)
    # One patch, or none, is what there is nearly always: it is not looked up pixel by pixel.
    if count == 1 or (count == 2 and mask.max() > sure):
        return mask
    kept = np.zeros(count, bool)
    kept[0] = True
    kept[labels[mask > sure]] = True
    if kept.all():
        return mask
    island = (~kept)[labels]
    near = cv2.dilate(island.astype(np.uint8), _SKIRT).astype(bool)
    without: Mask = np.where(island | (near & (mask <= MIDDLE)), np.float32(0), mask)
    return without
