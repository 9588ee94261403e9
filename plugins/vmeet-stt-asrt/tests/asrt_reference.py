"""ASRT's network by hand, to check the reading of its files against: numpy only, nothing of the plugin's.

Written after Keras's definitions of its layers: channels last, "same" padding, batch normalisation with the moving
averages. Weights are kept as Keras 2 lays them out in HDF5.
"""

from pathlib import Path

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]
Layers = dict[str, dict[str, Array]]  #: by layer, then by array (kernel, bias, gamma, ...)
CHANNELS = (32, 32, 64, 64, 128, 128, 128, 128, 128, 128)
POOLED_AFTER = (1, 3, 5)
BATCH_NORM_EPSILON = 2e-4


def random_layers(outputs: int, seed: int = 0, named: bool = True) -> Layers:
    """Weights of upstream's network: with batch normalisation and its layer names, or as the releases before had it."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, scale: float) -> Array:
        return (scale * random.standard_normal(shape)).astype(np.float32)

    layers: Layers = {}
    inputs = 1
    for number, channels in enumerate(CHANNELS):
        # He's initialisation, so that what comes out depends on what goes in.
        kernel = normal(3, 3, inputs, channels, scale=(2 / (9 * inputs)) ** 0.5)
        arrays = {"kernel": kernel, "bias": normal(channels, scale=0.1)}
        if not named and number == 0:
            del arrays["bias"]
        layers[f"Conv{number}" if named else f"conv2d_{number + 1}"] = arrays
        if named:
            layers[f"BN{number}"] = {
                "gamma": 1 + normal(channels, scale=0.1),
                "beta": normal(channels, scale=0.1),
                "moving_mean": normal(channels, scale=0.1),
                "moving_variance": (0.5 + random.random(channels)).astype(np.float32),
            }
        inputs = channels
    names = ("Dense0", "Dense1") if named else ("dense_1", "dense_2")
    for name, (width, channels) in zip(names, ((3200, 128), (128, outputs)), strict=True):
        layers[name] = {"kernel": normal(width, channels, scale=width**-0.5), "bias": normal(channels, scale=0.1)}
    return layers


def save(layers: Layers, path: Path, whole_model: bool = False) -> Path:
    """As Keras's ``save_weights`` writes it, or its ``save``; layers without weights are listed, too."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole_model else file
        root.attrs["layer_names"] = [name.encode() for name in ("the_input", *layers, "Activation0")]
        for name in ("the_input", "Activation0"):
            root.create_group(name).attrs["weight_names"] = np.zeros(0, "S1")
        for name, arrays in layers.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{array}:0".encode() for array in arrays]
            for array, value in arrays.items():
                group[f"{name}/{array}:0"] = value
    return path


def taught(layers: Layers, rows: Array, labels: list[int]) -> Layers:
    """``layers`` with another last layer: it says ``labels``, one a step, on seeing ``rows`` and nothing after."""
    seen = hidden_of(layers, np.concatenate([rows, np.zeros((96, 200), np.float32)]))[: len(labels)]
    inputs = np.concatenate([seen, np.ones((len(seen), 1))], axis=1)
    outputs = len(layers["Dense1"]["bias"])
    solved = np.linalg.lstsq(inputs, 20 * np.eye(outputs)[labels], rcond=None)[0].astype(np.float32)
    return layers | {"Dense1": {"kernel": solved[:-1], "bias": solved[-1]}}


def forward(layers: Layers, rows: Array) -> NDArray[np.float64]:
    """(rows, 200), rows a multiple of 8, to the probabilities (rows / 8, outputs)."""
    last = list(layers.values())[-1]
    logits = hidden_of(layers, rows) @ last["kernel"] + last["bias"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def hidden_of(layers: Layers, rows: Array) -> NDArray[np.float64]:
    """(rows, 200) to what the last layer gets: (rows / 8, 128)."""
    convolutions = [
        arrays for arrays in layers.values() if arrays["kernel" if "kernel" in arrays else "gamma"].ndim == 4
    ]
    norms = [arrays for arrays in layers.values() if "gamma" in arrays]
    hidden = list(layers.values())[-2]
    picture = rows[..., None].astype(np.float64)
    for number, arrays in enumerate(convolutions):
        picture = convolved(picture, arrays["kernel"]) + arrays.get("bias", 0)
        if norms:
            picture = normalised(picture, norms[number])
        picture = np.maximum(picture, 0)
        if number in POOLED_AFTER:
            height, width, channels = picture.shape
            picture = picture.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
    flat = picture.reshape(len(picture), -1)
    return np.maximum(flat @ hidden["kernel"] + hidden["bias"], 0)


def convolved(picture: NDArray[np.float64], kernel: Array) -> NDArray[np.float64]:
    """(height, width, in) with (3, 3, in, out) to (height, width, out), zeros around the picture."""
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(0, 1))  # (height, width, in, 3, 3)
    return np.tensordot(windows, kernel, axes=((3, 4, 2), (0, 1, 2)))


def normalised(picture: NDArray[np.float64], norm: dict[str, Array]) -> NDArray[np.float64]:
    scaled = (picture - norm["moving_mean"]) / np.sqrt(norm["moving_variance"].astype(np.float64) + BATCH_NORM_EPSILON)
    return scaled * norm["gamma"] + norm["beta"]
