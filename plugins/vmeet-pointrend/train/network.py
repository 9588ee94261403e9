"""The network: a light encoder and decoder give a coarse mask, a point head predicts its uncertain points again.

After Kirillov et al., PointRend: Image Segmentation as Rendering (2020), with our own, much smaller backbone.
All coordinates are in [0, 1] x [0, 1], (x, y), over the whole picture; pictures are (batch, 3, height, width) RGB in
[0, 1] whose sides are multiples of 16.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

FINE, COARSE, GROUPS = 24, 32, 6
PATCH = 5  #: pixels to each side of the square that the last refinement sees around a point


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1, act: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if act else nn.Sequential(*layers)


class Separable(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__(conv(inputs, inputs, size, groups=inputs, act=False), conv(inputs, outputs))


class Inverted(nn.Module):
    """An inverted residual: widen, filter each channel in space, narrow."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1, widen: int = 3) -> None:
        super().__init__()
        wide = inputs * widen
        self.body = nn.Sequential(
            conv(inputs, wide), conv(wide, wide, size, stride, wide), conv(wide, outputs, act=False)
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


class Context(nn.Module):
    """Tells every place what the whole picture holds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 2, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 2, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.gate(x))


class Features(NamedTuple):
    coarse: Tensor  #: (batch, 1, height / 4, width / 4), logits
    context: Tensor  #: (batch, COARSE, height / 4, width / 4)
    fine: Tensor  #: (batch, FINE, height / 2, width / 2)
    pixels: Tensor  #: (batch, 3, height, width): the picture in [-1, 1]


def enlarge(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def enlarge_to(x: Tensor, like: Tensor) -> Tensor:
    """Where ``like`` has an odd side, doubling would give another size."""
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.at_2 = nn.Sequential(conv(3, 16, 3, 2), Separable(16, 16))
        self.at_4 = nn.Sequential(Inverted(16, 24, 3, 2), Inverted(24, 24), Inverted(24, 24))
        self.at_8 = nn.Sequential(Inverted(24, 40, 5, 2, 4), Inverted(40, 40, 5), Inverted(40, 40, 5))
        self.at_16 = nn.Sequential(Inverted(40, 96, 5, 2, 4), *(Inverted(96, 96, 5, widen=4) for _ in range(4)))
        self.at_32 = nn.Sequential(
            Inverted(96, 192, 5, 2, 4), *(Inverted(192, 192, 5, widen=4) for _ in range(4)), conv(192, 64), Context(64)
        )
        self.from_sixteenth = conv(96, 64, act=False)
        self.join_sixteenth = Separable(64, 64)
        self.from_eighth = conv(40, 64, act=False)
        self.join_eighth = nn.Sequential(Separable(64, 64), conv(64, COARSE, act=False))
        self.from_quarter = conv(24, COARSE, act=False)
        self.join_quarter = nn.Sequential(Separable(COARSE, COARSE), Separable(COARSE, COARSE))
        self.coarse = nn.Conv2d(COARSE, 1, 1)
        self.groups = nn.Conv2d(COARSE, GROUPS, 1)  # only trains the features; left out of the export
        self.from_context = conv(COARSE, 16, act=False)
        self.join_half = Separable(16, FINE)

    def forward(self, image: Tensor) -> Features:
        image = image * 2 - 1
        half = self.at_2(image)
        quarter = self.at_4(half)
        eighth = self.at_8(quarter)
        sixteenth = self.at_16(eighth)
        deep = enlarge_to(self.at_32(sixteenth), sixteenth)
        deep = self.join_sixteenth(functional.relu(deep + self.from_sixteenth(sixteenth)))
        deep = self.join_eighth(functional.relu(enlarge(deep) + self.from_eighth(eighth)))
        context = self.join_quarter(functional.relu(enlarge(deep) + self.from_quarter(quarter)))
        fine = self.join_half(functional.relu(enlarge(self.from_context(context)) + half))
        return Features(self.coarse(context), context, fine, image)


def sample(plane: Tensor, points: Tensor) -> Tensor:
    """Reads (batch, channels, h, w) bilinearly at (batch, n, 2): (batch, channels, n)."""
    grid = (points * 2 - 1).unsqueeze(2)
    return functional.grid_sample(plane, grid, padding_mode="border", align_corners=False).squeeze(3)


def patches(pixels: Tensor, points: Tensor) -> Tensor:
    """The ``PATCH`` x ``PATCH`` pixels around points (batch, n, 2), row by row, RGB for RGB: (batch, channels, n)."""
    steps = torch.arange(PATCH, dtype=torch.float32, device=points.device) - PATCH // 2
    down, right = torch.meshgrid(steps / pixels.shape[2], steps / pixels.shape[3], indexing="ij")
    around = torch.stack((right, down), 2).flatten(0, 1)
    seen = sample(pixels, (points.unsqueeze(2) + around).flatten(1, 2))
    return seen.unflatten(2, (-1, PATCH**2)).permute(0, 3, 1, 2).flatten(1, 2)


class PointHead(nn.Module):
    """A small perceptron, the same for every point of one step, that sees the coarse logit again at each layer.

    The first step's points lie on pixels of ``Features.fine``, and that is as close as it looks; the last step's lie on
    those of the picture, and it looks at these, too: features of that size for all the picture, of which a hundredth
    is read, would cost a third of the whole network.
    """

    def __init__(self, close: bool, width: int = 64) -> None:
        """``close``: sees the pixels around the point."""
        super().__init__()
        self.close = close
        self.first = nn.Conv1d(1 + COARSE + FINE + (3 * PATCH**2 if close else 0), width, 1)
        self.second = nn.Conv1d(width + 1, width, 1)
        self.last = nn.Conv1d(width + 1, 1, 1)

    def forward(self, features: Features, points: Tensor) -> Tensor:
        """(batch, n, 2) -> logits (batch, n)."""
        coarse = sample(features.coarse, points)
        seen = [coarse, sample(features.context, points), sample(features.fine, points)]
        if self.close:
            seen.append(patches(features.pixels, points))
        x = functional.relu(self.first(torch.cat(seen, 1)))
        x = functional.relu(self.second(torch.cat((x, coarse), 1)))
        return self.last(torch.cat((x, coarse), 1)).squeeze(1)


def uncertain_points(coarse: Tensor, count: int, over: int = 3, beta: float = 0.75) -> Tensor:
    """For training: of ``over * count`` random points the most uncertain, and a share of 1 - ``beta`` anywhere."""
    batch = coarse.shape[0]
    candidates = torch.rand(batch, over * count, 2, device=coarse.device)
    chosen = int(beta * count)
    order = (-sample(coarse, candidates).squeeze(1).abs()).topk(chosen, dim=1).indices
    sharp = candidates.gather(1, order.unsqueeze(2).expand(-1, -1, 2))
    return torch.cat((sharp, torch.rand(batch, count - chosen, 2, device=coarse.device)), 1)


def on_grid(points: Tensor, height: int, width: int) -> Tensor:
    """Each of the points (..., 2) at the centre of the pixel that it lies in."""
    size = torch.tensor([width, height], dtype=points.dtype, device=points.device)
    return (torch.minimum((points * size).floor(), size - 1) + 0.5) / size


def grid_points(index: Tensor, height: int, width: int) -> Tensor:
    """The centres of the pixels with these flat indices."""
    x = (index % width).to(torch.float32) + 0.5
    y = torch.div(index, width, rounding_mode="floor").to(torch.float32) + 0.5
    return torch.stack((x / width, y / height), 2)


def children(index: Tensor, width: Tensor | int) -> Tensor:
    """(batch, n) flat indices of a plane that is ``width`` wide: those of the four pixels each once it is doubled."""
    first = torch.div(index, width, rounding_mode="floor") * (4 * width) + index % width * 2
    return torch.cat((first, first + 1, first + 2 * width, first + 2 * width + 1), 1)


def most_uncertain(flat: Tensor, points: int, among: Tensor | None = None) -> Tensor:
    """Which ``points`` of the logits (batch, pixels) lie nearest to 0, of all or ``among`` those indices."""
    if among is None:
        return (-flat.abs()).topk(points, dim=1, sorted=False).indices
    return among.gather(1, (-flat.gather(1, among).abs()).topk(points, dim=1, sorted=False).indices)


class PersonNet(nn.Module):
    """Two doublings of the coarse mask, each followed by a new prediction of its ``points`` most uncertain."""

    def __init__(self, points: int = 512) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.heads = nn.ModuleList((PointHead(close=False), PointHead(close=True)))
        self.points = points

    def refine(self, features: Features) -> Tensor:
        logits, index = features.coarse, None
        for head in self.heads:
            # What is uncertain now lies within what was uncertain before: a search of all would take longer.
            among = None if index is None else children(index, logits.shape[3])
            logits = enlarge(logits)
            height, width = logits.shape[2:]
            flat = logits.flatten(1)
            index = most_uncertain(flat, self.points, among)
            better = head(features, grid_points(index, height, width))
            logits = flat.scatter(1, index, better).view_as(logits)
        return logits

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(coarse, refined) probabilities at a quarter of the picture and at its own size."""
        features = self.backbone(image)
        return torch.sigmoid(features.coarse), torch.sigmoid(self.refine(features))
