"""Files that are none of ASRT's: each is refused, saying why."""

from pathlib import Path

import asrt_reference as reference
import numpy as np
import pytest
from vmeet_stt_asrt.keras_file import read_weights

from vmeet_core.hookspecs import Permanent


def test_what_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_text("<html>not found</html>")
    with pytest.raises(Permanent, match=r"model\.h5 is no HDF5 file"):
        read_weights(tmp_path / "model.h5")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = reference.save(reference.random_layers(30), tmp_path / "model.h5")
    path.write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(Permanent, match="is no HDF5 file that can be read"):
        read_weights(path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    layers = reference.random_layers(30)
    del layers["Conv9"], layers["BN9"]
    with pytest.raises(Permanent, match="9 convolutions and 2 dense"):
        read_weights(reference.save(layers, tmp_path / "model.h5"))


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    layers = reference.random_layers(30)
    layers["Conv3"]["kernel"] = np.zeros((5, 5, 64, 64), np.float32)
    with pytest.raises(Permanent, match=r"kernel of convolution 3 is \(5, 5, 64, 64\)"):
        read_weights(reference.save(layers, tmp_path / "model.h5"))


def test_an_unknown_layer_is_refused(tmp_path: Path) -> None:
    layers = reference.random_layers(30)
    layers["gru_1"] = {"recurrent_kernel": np.zeros((3, 3), np.float32)}
    with pytest.raises(Permanent, match="the layer gru_1 has recurrent_kernel"):
        read_weights(reference.save(layers, tmp_path / "model.h5"))


def test_a_file_without_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="0 convolutions and 0 dense"):
        read_weights(reference.save({}, tmp_path / "model.h5"))
