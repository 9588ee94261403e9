"""What is minimised: cross-entropy and Dice on the coarse mask, cross-entropy on points and on the label groups."""

from typing import NamedTuple

import torch
from network import Features, PersonNet, sample, uncertain_points
from torch import Tensor
from torch.nn import functional

UNKNOWN, SOMEBODY = 255, 254
GROUPS_WEIGHT = 0.3
OUTLINE_WEIGHT = 2.0  # more for the coarse mask's cells through which an outline runs


class Batch(NamedTuple):
    image: Tensor  #: (n, 3, h, w) float in [0, 1]
    mask: Tensor  #: (n, 1, 2h, 2w) float in [0, 1]
    groups: Tensor  #: (n, h / 4, w / 4) int64, UNKNOWN: nothing is known, SOMEBODY: a person


def dice(probability: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    sums = (2 * probability * target * weight).sum((1, 2, 3)) + 1
    return (1 - sums / (((probability + target) * weight).sum((1, 2, 3)) + 1)).mean()


def losses(net: PersonNet, batch: Batch, points: int) -> dict[str, Tensor]:
    features: Features = net.backbone(batch.image)
    known = (batch.groups != UNKNOWN).float().unsqueeze(1)
    target = functional.interpolate(batch.mask, size=features.coarse.shape[2:], mode="area")
    low, high = (sign * functional.max_pool2d(sign * target, 3, 1, 1) for sign in (-1, 1))
    weight = known * (1 + OUTLINE_WEIGHT * (high - low))
    coarse = functional.binary_cross_entropy_with_logits(features.coarse, target, weight=weight)
    overlap = dice(torch.sigmoid(features.coarse), target, known)
    parts = batch.groups.masked_fill(batch.groups == SOMEBODY, UNKNOWN)
    groups = functional.cross_entropy(net.backbone.groups(features.context), parts, ignore_index=UNKNOWN)
    where = uncertain_points(features.coarse.detach(), points)
    wanted, sure = sample(batch.mask, where).squeeze(1), sample(known, where).squeeze(1)
    fine = functional.binary_cross_entropy_with_logits(net.head(features, where), wanted, weight=sure)
    return {"coarse": coarse, "dice": overlap, "points": fine, "groups": GROUPS_WEIGHT * groups}
