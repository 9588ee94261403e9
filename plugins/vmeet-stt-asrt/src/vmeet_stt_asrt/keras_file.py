"""Weights of ASRT's network in the HDF5 files that Keras 2 writes (``save_weights`` and ``save``).

Read without Keras: the root, or its group ``model_weights``, lists the layers in order in the attribute
``layer_names``; each layer is a group of that name, whose attribute ``weight_names`` lists its arrays.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Permanent

Array = NDArray[np.float32]
CHANNELS = (32, 32, 64, 64, 128, 128, 128, 128, 128, 128)  #: of the ten convolutions
HIDDEN = 128  #: of the first dense layer
FLAT = 25 * 128  #: its inputs: 200 bins after three halvings, times the channels
BATCH_NORM_EPSILON = 2e-4  #: upstream's, not Keras's default


class Convolution(NamedTuple):
    """Kernel (3, 3, in, out) and bias (out,), the batch normalisation after it folded into both."""

    kernel: Array
    bias: Array


class Dense(NamedTuple):
    """Kernel (in, out) and bias (out,)."""

    kernel: Array
    bias: Array


class Weights(NamedTuple):
    """The whole network; the last output is the blank."""

    convolutions: tuple[Convolution, ...]
    hidden: Dense
    output: Dense


def read_weights(path: Path) -> Weights:
    """The network in ``path``. Raises Permanent saying what does not fit where the file is another one."""
    try:
        with h5py.File(path) as file:
            layers = list(_layers(file))
    except OSError as error:
        raise Permanent(f"{path} is no HDF5 file that can be read: {error}") from None
    try:
        return _checked(*_sorted(layers))
    except ValueError as error:
        raise Permanent(
            f"{path} does not hold ASRT's network (ten convolutions, two dense layers): {error}. "
            "Name the file that upstream calls *.model.h5 or *.model.base.h5"
        ) from None


def _layers(file: Any) -> Iterator[tuple[str, dict[str, Array]]]:
    """Name and arrays by name (kernel, bias, gamma, ...) of each layer that has any, in order."""
    root = file.get("model_weights", file)
    for name in map(_text, root.attrs.get("layer_names", ())):
        names = map(_text, root[name].attrs.get("weight_names", ()))
        arrays = {_last(each): np.asarray(root[name][each], np.float32) for each in names}
        if arrays:
            yield name, arrays


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _last(weight_name: str) -> str:
    return weight_name.rpartition("/")[2].partition(":")[0]


def _sorted(layers: list[tuple[str, dict[str, Array]]]) -> tuple[list[Convolution], list[Dense]]:
    convolutions: list[Convolution] = []
    dense: list[Dense] = []
    for name, arrays in layers:
        if "moving_mean" in arrays:
            if not convolutions:
                raise ValueError(f"the batch normalisation {name} comes before any convolution")
            convolutions[-1] = _folded(convolutions[-1], arrays)
        elif arrays.get("kernel", np.zeros(0)).ndim == 4:
            # The older releases have no bias in the first convolution.
            bias = arrays.get("bias", np.zeros(arrays["kernel"].shape[-1], np.float32))
            convolutions.append(Convolution(arrays["kernel"], bias))
        elif arrays.get("kernel", np.zeros(0)).ndim == 2 and "bias" in arrays:
            dense.append(Dense(arrays["kernel"], arrays["bias"]))
        else:
            raise ValueError(f"the layer {name} has {', '.join(sorted(arrays))}")
    return convolutions, dense


def _folded(convolution: Convolution, norm: dict[str, Array]) -> Convolution:
    scale = norm["gamma"].astype(np.float64) / np.sqrt(norm["moving_variance"].astype(np.float64) + BATCH_NORM_EPSILON)
    bias = (convolution.bias - norm["moving_mean"]) * scale + norm["beta"]
    return Convolution((convolution.kernel * scale).astype(np.float32), bias.astype(np.float32))


def _checked(convolutions: list[Convolution], dense: list[Dense]) -> Weights:
    if len(convolutions) != len(CHANNELS) or len(dense) != 2:
        raise ValueError(f"it has {len(convolutions)} convolutions and {len(dense)} dense layers")
    inputs = 1
    for number, (convolution, outputs) in enumerate(zip(convolutions, CHANNELS, strict=True)):
        if convolution.kernel.shape != (3, 3, inputs, outputs):
            raise ValueError(f"the kernel of convolution {number} is {convolution.kernel.shape}")
        inputs = outputs
    hidden, output = dense
    if hidden.kernel.shape != (FLAT, HIDDEN) or output.kernel.shape[0] != HIDDEN:
        raise ValueError(f"the dense kernels are {hidden.kernel.shape} and {output.kernel.shape}")
    return Weights(tuple(convolutions), hidden, output)
