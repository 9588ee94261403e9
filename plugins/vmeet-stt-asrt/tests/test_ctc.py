"""Decoding against the definition: sums over every alignment there is, on cases small enough to count them all."""

from itertools import groupby, product

import numpy as np
import pytest
from numpy.typing import NDArray
from vmeet_stt_asrt.ctc import align, greedy, prefix_beam_search

BLANK = 3


def some_steps(count: int, seed: int = 0) -> NDArray[np.float32]:
    powers = np.exp(2 * np.random.default_rng(seed).standard_normal((count, BLANK + 1)))
    return np.log(powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(path) if label != BLANK)


def every_reading(steps: NDArray[np.float32]) -> dict[tuple[int, ...], float]:
    sums: dict[tuple[int, ...], float] = {}
    for path in product(range(BLANK + 1), repeat=len(steps)):
        probability = float(np.exp(steps[np.arange(len(steps)), path].sum()))
        sums[collapsed(path)] = sums.get(collapsed(path), 0.0) + probability
    return sums


@pytest.mark.parametrize("seed", range(5))
def test_the_search_finds_the_likeliest_readings_and_their_probabilities(seed: int) -> None:
    steps = some_steps(6, seed)
    truth = sorted(every_reading(steps).items(), key=lambda item: -item[1])
    found = prefix_beam_search(steps, beam=2000)
    assert sum(np.exp(reading.score) for reading in found) == pytest.approx(1, abs=1e-4)
    for reading, (labels, probability) in zip(found[:20], truth[:20], strict=True):
        assert reading.labels == labels
        assert np.exp(reading.score) == pytest.approx(probability, rel=1e-4)


def test_a_narrow_beam_gives_as_many_readings_best_first() -> None:
    found = prefix_beam_search(some_steps(30), beam=5)
    assert len(found) == 5
    assert [reading.score for reading in found] == sorted((reading.score for reading in found), reverse=True)


def test_many_small_alignments_outweigh_the_single_best() -> None:
    # Of two steps with 0.6 blank and 0.4 label 0: the best path is silence (0.36), but 0 in all has 0.64.
    row = [0.4 - 1e-6, 5e-7, 5e-7, 0.6]
    steps = np.log(np.array([row, row], np.float32))
    assert greedy(steps) == ()
    assert prefix_beam_search(steps, beam=4)[0].labels == (0,)


def test_greedy_removes_repetitions_and_blanks() -> None:
    path = (BLANK, 0, 0, BLANK, 0, 1, 1, 2, BLANK)
    assert greedy(np.log(np.eye(BLANK + 1, dtype=np.float32)[list(path)] + 1e-6)) == (0, 0, 1, 2)


def test_nothing_said_is_one_empty_reading() -> None:
    steps = np.log(np.eye(BLANK + 1, dtype=np.float32)[[BLANK] * 5] + 1e-7)
    assert prefix_beam_search(steps, beam=3)[0].labels == ()
    assert prefix_beam_search(np.zeros((0, 4), np.float32), beam=3)[0].labels == ()


@pytest.mark.parametrize("labels", [(0,), (0, 1), (0, 0), (1, 2, 1), (2, 2, 2)])
def test_the_alignment_is_the_likeliest_of_all(labels: tuple[int, ...]) -> None:
    steps = some_steps(7, 3)
    paths = [path for path in product(range(BLANK + 1), repeat=7) if collapsed(path) == labels]
    best = max(paths, key=lambda path: steps[np.arange(7), path].sum())
    begins = tuple(at for at, label in enumerate(best) if label != BLANK and (at == 0 or best[at - 1] != label))
    found = align(steps, labels)
    assert found.steps == begins
    assert len(found.scores) == len(labels)


def test_too_few_steps_are_refused() -> None:
    assert align(some_steps(3), (0, 0)).steps == (0, 2)
    with pytest.raises(ValueError, match="2 labels do not fit into 2 steps"):
        align(some_steps(2), (0, 0))
