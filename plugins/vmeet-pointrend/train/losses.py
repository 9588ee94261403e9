"""What is minimised: cross-entropy and Dice on the coarse mask, cross-entropy on points and on the label groups.

With twins also what the masks of two pictures that differ by noise alone differ by: it would flicker.
"""

from typing import NamedTuple

import torch
from network import Features, PersonNet, on_grid, sample, uncertain_points
from torch import Tensor
from torch.nn import functional

UNKNOWN, SOMEBODY = 255, 254
GROUPS_WEIGHT = 0.3
TWINS_WEIGHT = 4.0
OUTLINE_WEIGHT = 2.0  # more for the coarse mask's cells through which an outline runs


class Batch(NamedTuple):
    image: Tensor  #: (n, 3, h, w) float in [0, 1]
    mask: Tensor  #: (n, 1, 2h, 2w) float in [0, 1]
    groups: Tensor  #: (n, h / 4, w / 4) int64, UNKNOWN: nothing is known, SOMEBODY: a person


def dice(probability: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    sums = (2 * probability * target * weight).sum((1, 2, 3)) + 1
    return (1 - sums / (((probability + target) * weight).sum((1, 2, 3)) + 1)).mean()


def twins(image: Tensor) -> Tensor:
    """The same pictures as a camera would take them a moment later: other noise, a breath more or less light."""
    count = image.shape[0]
    noise, light = (torch.rand(count, 1, 1, 1, device=image.device) for _ in range(2))
    return (image * (0.97 + 0.06 * light) + 0.03 * noise * torch.randn_like(image)).clamp(0, 1)


def losses(net: PersonNet, batch: Batch, points: int, with_twins: bool = False) -> dict[str, Tensor]:
    image, (mask, labels) = batch.image, batch[1:]
    if with_twins:
        image, mask, labels = torch.cat((image, twins(image))), mask.repeat(2, 1, 1, 1), labels.repeat(2, 1, 1)
    features: Features = net.backbone(image)
    known = (labels != UNKNOWN).float().unsqueeze(1)
    target = functional.interpolate(mask, size=features.coarse.shape[2:], mode="area")
    low, high = (sign * functional.max_pool2d(sign * target, 3, 1, 1) for sign in (-1, 1))
    weight = known * (1 + OUTLINE_WEIGHT * (high - low))
    coarse = functional.binary_cross_entropy_with_logits(features.coarse, target, weight=weight)
    overlap = dice(torch.sigmoid(features.coarse), target, known)
    parts = labels.masked_fill(labels == SOMEBODY, UNKNOWN)
    groups = functional.cross_entropy(net.backbone.groups(features.context), parts, ignore_index=UNKNOWN)
    found, wanted, sure = [], [], []
    height, width = image.shape[2:]
    for head, scale in zip(net.heads, (2, 1), strict=True):
        where = uncertain_points(features.coarse[: len(batch.image)].detach(), points // 2)
        where = on_grid(where, height // scale, width // scale)
        where = where.repeat(2, 1, 1) if with_twins else where
        found.append(head(features, where))
        wanted.append(sample(mask, where).squeeze(1))
        sure.append(sample(known, where).squeeze(1))
    logits, truth, weight = (torch.cat(each, 1) for each in (found, wanted, sure))
    fine = functional.binary_cross_entropy_with_logits(logits, truth, weight=weight)
    parts_of_all = {"coarse": coarse, "dice": overlap, "points": fine, "groups": GROUPS_WEIGHT * groups}
    if with_twins:
        pairs = (torch.sigmoid(each).chunk(2) for each in (features.coarse, logits))
        parts_of_all["twins"] = TWINS_WEIGHT * sum(((one - other) ** 2).mean() for one, other in pairs)
    return parts_of_all
