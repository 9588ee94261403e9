"""The networks that label photos: ISNet gives the matte, MediaPipe a second opinion and the face."""

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

Array = np.ndarray[Any, Any]

_TRAINED_SIZE = 1024
_FACE_SIZE = 128
_FACE_GRIDS = ((16, 2), (8, 6))  # (cells a side, anchors a cell)


def _single_precision(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _resize_constants(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """The (height, width) that each Resize enlarges to, which the export wrote down as numbers."""
    made = {node.output[0]: node for node in graph.node}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    found: dict[str, onnx.TensorProto] = {}
    for node in graph.node:
        if node.op_type == "Resize":
            name = made[node.input[3]].input[1]
            found[name] = stored[name] if name in stored else made[name].attribute[0].t
    return list(found.values())


def isnet_graph(path: Path, size: int) -> bytes:
    """The half-precision export for another input size, in single precision, with its main output only."""
    model = onnx.load(str(path))
    graph = model.graph
    for tensor in graph.initializer:
        _single_precision(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "value":
                _single_precision(attribute.t)
            elif node.op_type == "Cast" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
    for tensor in _resize_constants(graph):
        scaled = numpy_helper.to_array(tensor) * size // _TRAINED_SIZE
        tensor.CopyFrom(numpy_helper.from_array(scaled, tensor.name))
    del graph.output[1:], graph.value_info[:]
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.FLOAT
        for side in value.type.tensor_type.shape.dim[2:]:
            side.dim_value = size
    return bytes(model.SerializeToString())


class IsNet:
    """A sharp matte of whatever stands out."""

    def __init__(self, path: Path, size: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._size = size
        self._session = onnxruntime.InferenceSession(
            isnet_graph(path, size), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, picture: Array) -> Array:
        """RGB -> (h, w) float32 in [0, 1]."""
        image = cv2.resize(picture, (self._size, self._size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        image = ((image - 128) / 256).transpose(2, 0, 1)[None]
        matte = self._session.run(None, {self._session.get_inputs()[0].name: image})[0][0, 0]
        return cv2.resize(matte, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)


class _Lite:
    """A TFLite network of one picture."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()[0]
        self._input, self._size = details["index"], tuple(int(side) for side in details["shape"][2:0:-1])
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def run(self, image: Array) -> list[Array]:
        self._interpreter.set_tensor(self._input, image[None].astype(np.float32))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


class Selfie(_Lite):
    """One of MediaPipe's two networks (256x256, 256x144) for people close to the camera."""

    def __call__(self, picture: Array) -> Array:
        image = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA) / 255
        return cv2.resize(self.run(image)[0][..., 0], picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)


class Face(NamedTuple):
    """From above the eyebrows to the chin, in pixels."""

    x: float  #: of the centre
    top: float
    height: float
    score: float


class FaceFinder(_Lite):
    """MediaPipe's short-range face detector; the most certain face."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        anchors = [
            np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), 2).reshape(-1, 2).repeat(count, 0) / cells
            + 0.5 / cells
            for cells, count in _FACE_GRIDS
        ]
        self._anchors = np.concatenate(anchors)

    def __call__(self, picture: Array) -> Face:
        height, width = picture.shape[:2]
        side = max(height, width)
        square = np.zeros((side, side, 3), np.uint8)
        square[:height, :width] = picture
        image = cv2.resize(square, self._size, interpolation=cv2.INTER_AREA) / 127.5 - 1
        boxes, scores = self.run(image)
        best = int(scores[:, 0].argmax())
        x, y = boxes[best, :2] / _FACE_SIZE + self._anchors[best]
        tall = float(boxes[best, 3] / _FACE_SIZE) * side
        certain = 1 / (1 + np.exp(-float(np.clip(scores[best, 0], -50, 50))))
        return Face(float(x) * side, float(y) * side - tall / 2, tall, certain)
