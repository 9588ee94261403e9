"""ASRT's network in torch, with dropout; what it learns goes into the plugin's graph."""

from collections.abc import Sequence

import numpy as np
import torch
from onnx import ModelProto
from small import SmallNet
from small_graph import build_small_graph
from torch import Tensor, nn
from vmeet_stt_asrt.graph import POOLED_AFTER, ROWS_PER_STEP, build_graph
from vmeet_stt_asrt.keras_file import BATCH_NORM_EPSILON, CHANNELS, FLAT, HIDDEN, Convolution, Dense, Weights


class AsrtNet(nn.Module):
    """(batch, rows, 200), rows a multiple of 8, to log-probabilities (batch, rows / 8, outputs)."""

    def __init__(self, outputs: int, dropout: float = 0.15) -> None:
        super().__init__()
        inputs = (1, *CHANNELS[:-1])
        pairs = zip(inputs, CHANNELS, strict=True)
        self.convolutions = nn.ModuleList([nn.Conv2d(one, other, 3, padding=1) for one, other in pairs])
        self.norms = nn.ModuleList([nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON) for channels in CHANNELS])
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(FLAT, HIDDEN)
        self.output = nn.Linear(HIDDEN, outputs)
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.weight)

    def forward(self, rows: Tensor) -> Tensor:
        picture = rows.unsqueeze(1)
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            picture = torch.relu(norm(convolution(picture)))
            if number in POOLED_AFTER:
                picture = self.dropout(nn.functional.max_pool2d(picture, 2))
        flat = self.dropout(picture.permute(0, 2, 3, 1).flatten(2))
        return self.output(self.dropout(torch.relu(self.hidden(flat)))).log_softmax(-1)


def new_net(kind: str, syllables: Sequence[str], dropout: float = 0.0) -> AsrtNet | SmallNet:
    """``asrt`` or ``small``; the blank comes after the syllables."""
    return SmallNet(syllables, dropout) if kind == "small" else AsrtNet(len(syllables) + 1, dropout)


def graph_of(net: AsrtNet | SmallNet, syllables: Sequence[str]) -> ModelProto:
    """The network as it is in evaluation, as an ONNX model that the plugin reads."""
    names = tuple(syllables)
    return build_small_graph(net, names) if isinstance(net, SmallNet) else build_graph(weights_of(net), names)


def weights_of(net: AsrtNet) -> Weights:
    """The network with its batch normalisation folded, as the plugin has it."""
    folded = []
    for convolution, norm in zip(net.convolutions, net.norms, strict=True):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = (convolution.weight * scale[:, None, None, None]).permute(2, 3, 1, 0)
        bias = (convolution.bias - norm.running_mean) * scale + norm.bias
        folded.append(Convolution(_array(kernel), _array(bias)))
    hidden, output = (Dense(_array(layer.weight.T), _array(layer.bias)) for layer in (net.hidden, net.output))
    return Weights(tuple(folded), hidden, output)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().float().numpy()


def rows_for(count: int) -> int:
    """How many rows a part of ``count`` rows is padded to: fewer than in the plugin, since nothing is all alike."""
    return -(-count // ROWS_PER_STEP) * ROWS_PER_STEP + 3 * ROWS_PER_STEP
