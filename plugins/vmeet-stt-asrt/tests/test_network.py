"""The network against one by hand: whatever the vocabulary and the age of the file, at whatever length."""

from pathlib import Path

import asrt_reference as reference
import numpy as np
import pytest
from vmeet_stt_asrt.features import MOST_ROWS, Rows
from vmeet_stt_asrt.graph import build_graph
from vmeet_stt_asrt.keras_file import read_weights
from vmeet_stt_asrt.network import Network

from vmeet_core.hookspecs import Permanent


def some_rows(count: int, seed: int = 1) -> Rows:
    return (4 * np.random.default_rng(seed).random((count, 200))).astype(np.float32)


def network_of(path: Path, outputs: int) -> Network:
    return Network(build_graph(read_weights(path), syllables(outputs)).SerializeToString(), threads=1)


def syllables(outputs: int) -> tuple[str, ...]:
    return tuple(f"a{number}" for number in range(outputs - 1))


@pytest.mark.parametrize(
    ("outputs", "named", "whole_model"), [(1428, True, False), (1424, False, False), (1424, True, True)]
)
def test_what_is_read_computes_what_was_saved(tmp_path: Path, outputs: int, named: bool, whole_model: bool) -> None:
    layers = reference.random_layers(outputs, named=named)
    network = network_of(reference.save(layers, tmp_path / "model.h5", whole_model), outputs)
    rows = some_rows(64)
    padded = np.concatenate([rows, np.zeros((96, 200), np.float32)])
    wanted = reference.forward(layers, padded)
    found = np.exp(network.listen(rows))
    assert found.shape[1] == outputs
    np.testing.assert_allclose(found, wanted[: len(found)], atol=1e-4)
    # The bar means nothing where all outputs are alike.
    assert wanted.max() > 0.01
    assert np.abs(np.diff(wanted, axis=0)).max() > 1e-3


def test_a_short_part_is_heard_as_if_padded_to_16_s(tmp_path: Path) -> None:
    network = network_of(reference.save(reference.random_layers(100), tmp_path / "model.h5"), 100)
    rows = some_rows(200)
    whole = network.listen(np.concatenate([rows, np.zeros((MOST_ROWS - 200, 200), np.float32)]))
    short = network.listen(rows)
    assert len(short) == 27
    np.testing.assert_allclose(short, whole[: len(short)], atol=1e-4)


def test_no_more_than_16_s_at_once(tmp_path: Path) -> None:
    network = network_of(reference.save(reference.random_layers(30), tmp_path / "model.h5"), 30)
    assert network.listen(some_rows(MOST_ROWS)).shape == (200, 30)
    with pytest.raises(ValueError, match="1600 rows at once, not 1601"):
        network.listen(some_rows(MOST_ROWS + 1))


def test_a_model_that_does_not_name_its_outputs_is_refused(tmp_path: Path) -> None:
    weights = read_weights(reference.save(reference.random_layers(30), tmp_path / "model.h5"))
    with pytest.raises(Permanent, match=r"30 outputs, so 29 syllables and the blank.*names 0"):
        Network(build_graph(weights, ()).SerializeToString(), threads=1)
