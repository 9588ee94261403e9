"""The network without batch normalisation: it computes what a trained one does, with less to do for each picture.

In inference a batch norm is a factor and an offset of the convolution before it. ``read`` brings such a network out of
the ONNX file that export.py wrote, so that shipped weights can be trained further; ``unfolded`` gives it back in the
form that ``export.py`` and ``train.py`` read.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from network import PersonNet
from onnx import numpy_helper
from torch import Tensor, nn

Array = np.ndarray[Any, Any]


def folded_like(net: PersonNet) -> PersonNet:
    """The same network with biases in place of the norms; its weights are still to be filled in."""
    for block in net.modules():
        if isinstance(block, nn.Sequential) and len(block) > 1 and isinstance(block[1], nn.BatchNorm2d):
            old = block[0]
            assert isinstance(old, nn.Conv2d)
            sizes = old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding
            block[0] = nn.Conv2d(*sizes, groups=old.groups)
            block[1] = nn.Identity()
    return net


def read(path: Path) -> PersonNet:
    """The network of an ONNX file of export.py; without the head for the groups of labels, which it leaves out."""
    net = folded_like(PersonNet()).eval()
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    constants = (node for node in graph.node if node.op_type == "Constant")
    values |= {node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in constants}
    stored = [node for node in graph.node if node.op_type == "Conv"]
    for layer, node in zip(_convolutions(net), stored, strict=True):
        _fill(layer, values[node.input[1]], values[node.input[2]])
    rows = [node for node in graph.node if node.op_type == "Gemm"]
    # Before each perceptron the file has the coarse logit at the points, whose weights are those of the convolution.
    layers = [layer for head in net.heads for layer in (None, head.first, head.second, head.last)]
    for layer, node in zip(layers, rows, strict=True):
        if layer is not None:
            _fill(layer, values[node.input[1]].T[:, :, None], values[node.input[2]])
    return net


def fold(path: Path) -> PersonNet:
    """The network of a checkpoint of train.py or finetune.py: the average of its weights."""
    state = torch.load(path, map_location="cpu", weights_only=True)["average"]
    norms = PersonNet().eval()
    norms.load_state_dict(state)
    net = folded_like(PersonNet()).eval()
    own = net.state_dict()
    own.update({name: value for name, value in state.items() if name in own and value.shape == own[name].shape})
    for name, block in norms.named_modules():
        if not isinstance(block, nn.Sequential) or len(block) < 2 or not isinstance(block[1], nn.BatchNorm2d):
            continue
        norm = block[1]
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        factor = norm.weight.detach() / torch.sqrt(variance + norm.eps)
        own[f"{name}.0.weight"] = block[0].weight.detach() * factor[:, None, None, None]
        own[f"{name}.0.bias"] = norm.bias.detach() - mean * factor
    net.load_state_dict(own)
    return net


def _convolutions(net: PersonNet) -> list[nn.Conv2d]:
    """In the order in which a picture passes them, which is that of the file."""
    passed: list[nn.Conv2d] = []
    layers = [module for module in net.backbone.modules() if isinstance(module, nn.Conv2d)]
    hooks = [layer.register_forward_hook(lambda layer, *_: passed.append(layer)) for layer in layers]
    with torch.no_grad():
        net.backbone(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return passed


@torch.no_grad()
def _fill(layer: nn.Conv1d | nn.Conv2d, weight: Array, bias: Array) -> None:
    assert layer.bias is not None
    assert tuple(weight.shape) == tuple(layer.weight.shape)
    layer.weight.copy_(torch.from_numpy(np.array(weight)))
    layer.bias.copy_(torch.from_numpy(np.array(bias)))


def unfolded(net: PersonNet) -> dict[str, Tensor]:
    """The weights by the names of a network with norms, which add the biases and do nothing else."""
    plain, own = PersonNet(net.points).state_dict(), net.state_dict()
    state = {name: own.get(name, value) for name, value in plain.items()}
    for name, module in net.named_modules():
        if not isinstance(module, nn.Sequential) or len(module) < 2 or not isinstance(module[1], nn.Identity):
            continue
        convolution, norm = module[0], nn.BatchNorm2d(0)
        assert isinstance(convolution, nn.Conv2d)
        assert convolution.bias is not None
        state[f"{name}.1.weight"] = torch.full_like(convolution.bias, math.sqrt(1 + norm.eps))
        state[f"{name}.1.bias"] = convolution.bias.detach().clone()
        state[f"{name}.1.running_mean"] = torch.zeros_like(convolution.bias)
        state[f"{name}.1.running_var"] = torch.ones_like(convolution.bias)
    return state
