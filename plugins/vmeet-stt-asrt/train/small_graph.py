"""The small network as an ONNX model, its batch normalisation folded."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from small import BANDS, LEAST_VARIANCE, SmallNet, Unit
from vmeet_stt_asrt.features import BINS
from vmeet_stt_asrt.graph import INPUT, OUTPUT, SYLLABLES

_OPSET, _IR = 17, 8  # as the plugin's own graphs


class _Graph:
    """Nodes and constants, each called after its output."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def unit(self, name: str, unit: Unit, last: str) -> str:
        """The convolution with what its batch normalisation does in kernel and bias."""
        convolution, norm = unit
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = (convolution.weight * scale.view(-1, *[1] * (convolution.weight.ndim - 1))).detach().numpy()
        bias = (norm.bias - norm.running_mean * scale).detach().numpy()
        names = self.constant(f"{name}_kernel", kernel), self.constant(f"{name}_bias", bias)
        pads, strides = [*convolution.padding, *convolution.padding], list(convolution.stride)
        return self.add("Conv", name, last, *names, pads=pads, strides=strides, group=convolution.groups)


def build_small_graph(net: SmallNet, syllables: tuple[str, ...]) -> ModelProto:
    """Maps (1, 1, rows, 200), rows a multiple of 8, to (1, rows / 8, outputs), as the plugin's own graphs do."""
    graph = _Graph()
    last = _normalised(graph, net.bands.detach().numpy())
    for number, unit in enumerate([*net.stem, net.widen]):
        last = graph.add("Relu", f"stem{number}_relu", graph.unit(f"stem{number}", unit, last))
    # (1, channels, steps, 1) to (1, channels, steps)
    last = graph.add("Squeeze", "squeezed", last, graph.constant("bands_axis", np.array([3], np.int64)))
    for number, block in enumerate(net.blocks):
        along = graph.add("Relu", f"along{number}_relu", graph.unit(f"along{number}", block.along, last))
        across = graph.unit(f"across{number}", block.across, along)
        total = graph.add("Add", f"total{number}", last, across) if block.residual else across
        last = graph.add("Relu", f"block{number}", total)
    last = graph.add("Transpose", "channels_last", last, perm=[0, 2, 1])
    weight = net.output.weight().detach().numpy()
    last = graph.add("MatMul", "output_product", last, graph.constant("output_kernel", weight.T))
    last = graph.add("Add", "output_sum", last, graph.constant("output_bias", net.output.bias.detach().numpy()))
    graph.add("LogSoftmax", OUTPUT, last, axis=-1)
    inputs = [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 1, "rows", BINS])]
    outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, "steps", len(weight)])]
    packed = helper.make_graph(graph.nodes, "small", inputs, outputs, graph.constants)
    model = helper.make_model(packed, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    helper.set_model_props(model, {SYLLABLES: " ".join(syllables)})
    return model


def _normalised(graph: _Graph, bands: NDArray[np.float32]) -> str:
    """As ``small.normalised``: rows of nothing are in no mean."""
    add = graph.add
    axis = {name: graph.constant(f"{name}_axis", np.array([at], np.int64)) for name, at in (("row", 2), ("band", 3))}
    zero, one = (graph.constant(name, np.array(value, np.float32)) for name, value in (("zero", 0), ("one", 1)))
    loudest = add("ReduceMax", "loudest", INPUT, axes=[3], keepdims=1)
    heard = add("Cast", "heard", add("Greater", "is_heard", loudest, zero), to=TensorProto.FLOAT)
    count = add("Max", "count", add("ReduceSum", "heard_rows", heard, axis["row"], keepdims=1), one)
    seen = add("MatMul", "seen", INPUT, graph.constant("bands", bands))
    total = add("ReduceSum", "seen_total", add("Mul", "seen_heard", seen, heard), axis["row"], keepdims=1)
    away = add("Sub", "away", seen, add("Div", "mean", total, count))
    centred = add("Mul", "centred", away, heard)
    power = add("ReduceSum", "row_power", add("Mul", "square", centred, centred), axis["row"], keepdims=1)
    power = add("ReduceSum", "power", power, axis["band"], keepdims=1)
    values = add("Mul", "values", count, graph.constant("band_count", np.array(BANDS, np.float32)))
    variance = add("Add", "variance", add("Div", "mean_power", power, values), _least(graph))
    return add("Div", "normalised", centred, add("Sqrt", "deviation", variance))


def _least(graph: _Graph) -> str:
    return graph.constant("least_variance", np.array(LEAST_VARIANCE, np.float32))
