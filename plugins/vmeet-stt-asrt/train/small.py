"""A network of a sixteenth of ASRT's cost, with the same input and output, for those who train without a GPU.

Bands as of ears, a few 2-D convolutions that bear a voice's being higher or lower, then depthwise-separable residual
blocks (S. Kriman et al., "QuartzNet", 2020), first at 40 ms a step, then at 80 ms.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from parts import parts_of
from torch import Tensor, nn
from vmeet_stt_asrt.features import BINS, SAMPLE_RATE_HZ

BANDS = 80
STEM = ((1, 16, (2, 2)), (16, 32, (2, 2)), (32, 64, (1, 2)))  #: channels in and out, stride of rows and bands
WIDTH = 384  #: channels of the blocks
BLOCKS_40_MS, BLOCKS_80_MS = 3, 8
KERNEL = 5  #: steps that a block sees: 1.5 s to each side in all, too little to know whole sentences by heart
LEAST_VARIANCE = 1e-3


def mel_bands() -> NDArray[np.float32]:
    """(200, 80): each band the mean of bins under a triangle, all bands equally wide on the mel scale."""
    hz = np.arange(BINS) * SAMPLE_RATE_HZ / 400
    edges = 700 * (np.exp(np.linspace(np.log1p(20 / 700), np.log1p(8000 / 700), BANDS + 2)) - 1)
    # Under 1 kHz the bins are wider than the bands: at least a bin to each side, so that no band is empty.
    low = np.minimum(edges[:-2], edges[1:-1] - 40)
    high = np.maximum(edges[2:], edges[1:-1] + 40)
    rise, fall = (hz[:, None] - low) / (edges[1:-1] - low), (high - hz[:, None]) / (high - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rise, fall))
    return (triangles / triangles.sum(axis=0)).astype(np.float32)


class Unit(nn.Sequential):
    """A convolution and its batch normalisation; ReLU is the caller's."""

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d) -> None:
        nn.init.kaiming_normal_(convolution.weight)
        norm = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
        super().__init__(convolution, norm(convolution.out_channels))


class Block(nn.Module):
    """Along the steps, then across the channels, then what came in is added; a stride halves the steps instead."""

    def __init__(self, stride: int, dropout: float) -> None:
        super().__init__()
        along = nn.Conv1d(WIDTH, WIDTH, KERNEL, stride, padding=KERNEL // 2, groups=WIDTH, bias=False)
        self.along = Unit(along)
        self.across = Unit(nn.Conv1d(WIDTH, WIDTH, 1, bias=False))
        self.dropout = nn.Dropout1d(dropout)  # whole channels: as good, and few numbers to draw
        self.residual = stride == 1

    def forward(self, steps: Tensor) -> Tensor:
        # What came in is never dropped: of twelve blocks that would leave a channel little chance to come through.
        changed = self.dropout(self.across(torch.relu(self.along(steps))))
        return torch.relu(steps + changed if self.residual else changed)


class SharedOutput(nn.Module):
    """A linear layer whose weights are sums: of the initial's, the final's, the tone's, the base's and its own.

    So the rarest syllable begins with what its parts are known to sound like.
    """

    def __init__(self, syllables: Sequence[str]) -> None:
        super().__init__()
        kinds = list(zip(*map(parts_of, syllables), strict=True))
        for number, kind in enumerate(kinds):
            names = sorted(set(kind))
            places = torch.tensor([names.index(each) for each in kind])
            self.register_buffer(f"place{number}", places, persistent=False)
            self.register_parameter(f"share{number}", nn.Parameter(torch.randn(len(names), WIDTH) * 0.1 * WIDTH**-0.5))
        self.kinds = len(kinds)
        self.own = nn.Parameter(torch.zeros(len(syllables) + 1, WIDTH))
        self.bias = nn.Parameter(torch.zeros(len(syllables) + 1))

    def weight(self) -> Tensor:
        """(outputs, channels); the blank, the last, shares nothing."""
        shares = (getattr(self, f"share{kind}")[getattr(self, f"place{kind}")] for kind in range(self.kinds))
        return self.own + nn.functional.pad(sum(shares), (0, 0, 0, 1))

    def forward(self, steps: Tensor) -> Tensor:
        return nn.functional.linear(steps, self.weight(), self.bias)


class SmallNet(nn.Module):
    """(batch, rows, 200), rows a multiple of 8, to log-probabilities (batch, rows / 8, outputs)."""

    def __init__(self, syllables: Sequence[str], dropout: float = 0.0) -> None:
        super().__init__()
        self.bands = nn.Parameter(torch.from_numpy(mel_bands()))
        self.stem = nn.ModuleList([Unit(nn.Conv2d(*channels, 3, stride, 1, bias=False)) for *channels, stride in STEM])
        self.widen = Unit(nn.Conv2d(STEM[-1][1], WIDTH, (1, BANDS // 8), bias=False))
        strides = [1] * BLOCKS_40_MS + [2] + [1] * BLOCKS_80_MS
        self.blocks = nn.ModuleList([Block(stride, dropout) for stride in strides])
        self.output = SharedOutput(syllables)

    def forward(self, rows: Tensor) -> Tensor:
        picture = normalised(rows, self.bands).unsqueeze(1)
        for unit in [*self.stem, self.widen]:
            picture = torch.relu(unit(picture))
        steps = picture.squeeze(3)
        for block in self.blocks:
            steps = block(steps)
        return self.output(steps.transpose(1, 2)).float().log_softmax(-1)


def normalised(rows: Tensor, bands: Tensor) -> Tensor:
    """Bands without the microphone: each band's mean is 0 and the variance of all is 1, rows of nothing left aside."""
    heard = (rows.amax(2, keepdim=True) > 0).float()
    seen = rows @ bands
    count = heard.sum(1, keepdim=True).clamp(min=1)
    centred = (seen - (seen * heard).sum(1, keepdim=True) / count) * heard
    variance = centred.square().sum((1, 2), keepdim=True) / (count * BANDS)
    return centred / (variance + LEAST_VARIANCE).sqrt()
