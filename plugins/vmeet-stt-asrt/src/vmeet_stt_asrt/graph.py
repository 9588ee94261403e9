"""The network as an ONNX model, made of plain arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from vmeet_stt_asrt.features import BINS
from vmeet_stt_asrt.keras_file import FLAT, Weights

POOLED_AFTER = (1, 3, 5)  #: the convolutions that a 2x2 max-pool follows
ROWS_PER_STEP = 8
INPUT, OUTPUT, SYLLABLES = "rows", "log_probabilities", "syllables"
_OPSET, _IR = 17, 8  # old enough for every ONNX Runtime that we allow


def build_graph(weights: Weights, syllables: tuple[str, ...]) -> ModelProto:
    """Maps (1, 1, rows, 200), rows a multiple of 8, to (1, rows / 8, outputs); the syllables go with it as metadata."""
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []

    def constant(name: str, value: NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    last = INPUT
    for number, (kernel, bias) in enumerate(weights.convolutions):
        names = constant(f"kernel{number}", kernel.transpose(3, 2, 0, 1)), constant(f"bias{number}", bias)
        last = add("Conv", f"conv{number}", last, *names, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        last = add("Relu", f"relu{number}", last)
        if number in POOLED_AFTER:
            last = add("MaxPool", f"pool{number}", last, kernel_shape=[2, 2], strides=[2, 2])
    # Keras has the channels last, so the dense layer's inputs are in the order (bin, channel).
    last = add("Transpose", "channels_last", last, perm=[0, 2, 3, 1])
    last = add("Reshape", "flat", last, constant("flat_shape", np.array([1, -1, FLAT], np.int64)))
    for name, (kernel, bias) in (("hidden", weights.hidden), ("output", weights.output)):
        product = add("MatMul", f"{name}_product", last, constant(f"{name}_kernel", kernel))
        last = add("Add", f"{name}_sum", product, constant(f"{name}_bias", bias))
        if name == "hidden":
            last = add("Relu", "hidden_relu", last)
    add("LogSoftmax", OUTPUT, last, axis=-1)
    outputs = weights.output.kernel.shape[1]
    graph = helper.make_graph(
        nodes,
        "asrt",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 1, "rows", BINS])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, "steps", outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    helper.set_model_props(model, {SYLLABLES: " ".join(syllables)})
    return model
