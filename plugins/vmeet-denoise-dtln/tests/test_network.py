"""One network: state in and out, and threads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from vmeet_denoise_dtln import MASK_MODEL, SIGNAL_MODEL
from vmeet_denoise_dtln.network import Network

from vmeet_core.hookspecs import Weight

WeightPath = Callable[[Weight], Path]


@pytest.mark.parametrize(("weight", "width"), [(MASK_MODEL, 257), (SIGNAL_MODEL, 512)])
def test_state_carries_over(weight_path: WeightPath, weight: Weight, width: int) -> None:
    network = Network(weight_path(weight), threads=1)
    rows = np.random.default_rng(0).random((20, width), dtype=np.float32)
    whole, last = network.run(rows, network.initial_state())
    first, state = network.run(rows[:7], network.initial_state())
    second, again = network.run(rows[7:], state)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(again, last)
    afresh, _ = network.run(rows[7:], network.initial_state())
    assert np.max(np.abs(afresh - second)) > 1e-3


def test_the_mask_lies_between_zero_and_one(weight_path: WeightPath) -> None:
    network = Network(weight_path(MASK_MODEL), threads=2)
    masks, _ = network.run(np.random.default_rng(0).random((50, 257), dtype=np.float32), network.initial_state())
    assert 0 <= masks.min() < masks.max() <= 1


def test_no_rows_leave_the_state_alone(weight_path: WeightPath) -> None:
    network = Network(weight_path(MASK_MODEL), threads=1)
    out, state = network.run(np.zeros((0, 257), np.float32), network.initial_state())
    assert out.shape == (0, 257)
    assert not state.any()
