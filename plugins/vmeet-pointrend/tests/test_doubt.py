"""Patches of a mask of which the network is nowhere sure: islands and holes."""

import numpy as np
import pytest
from vmeet_pointrend.doubt import SURE_BACKGROUND, SURE_PERSON, settled
from vmeet_pointrend.network import Network

from vmeet_core.effects.seam import Mask
from vmeet_core.testing import person_picture

PERSON, PATCH = np.s_[40:, 100:200], np.s_[60:80, 20:50]
HOLE = np.s_[90:110, 130:160]


def mask_with(patch: tuple[slice, slice], value: float) -> Mask:
    mask = np.full((160, 288), 0.01, np.float32)
    mask[PERSON] = 0.99
    mask[patch] = value
    return mask


@pytest.mark.parametrize("value", [0.51, SURE_PERSON - 0.01])
def test_an_island_that_may_be_nobody_is_background_and_so_is_what_lies_around_it(value: float) -> None:
    mask = mask_with(PATCH, value)
    mask[58:60, 20:50] = 0.4
    calm = settled(mask)
    assert (calm[56:84, 16:54] <= 0.01).all()
    assert np.array_equal(calm[PERSON], mask[PERSON])


def test_a_second_person_stays() -> None:
    mask = mask_with(PATCH, 0.6)
    mask[70, 30] = SURE_PERSON + 0.01
    assert settled(mask) is mask


@pytest.mark.parametrize("value", [0.49, SURE_BACKGROUND + 0.01])
def test_a_hole_that_may_be_none_is_closed(value: float) -> None:
    mask = mask_with(HOLE, value)
    calm = settled(mask)
    assert (calm[88:112, 128:162] >= 0.99).all()
    outside = np.ones(mask.shape, bool)
    outside[88:112, 128:162] = False  # with what is seen of the hole around it
    assert np.allclose(calm[outside], mask[outside], atol=1e-6)


def test_the_background_between_arm_and_body_stays_background() -> None:
    mask = mask_with(HOLE, 0.3)
    mask[100, 140] = SURE_BACKGROUND - 0.01
    assert settled(mask) is mask


def test_nobody_of_whom_it_is_sure_is_nobody() -> None:
    mask = np.full((160, 288), 0.02, np.float32)
    mask[PERSON] = 0.7
    assert settled(mask).max() <= 0.02


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_and_everything_stay_as_they_are(value: float) -> None:
    mask = np.full((160, 288), value, np.float32)
    assert settled(mask) is mask


def test_the_mask_that_was_given_is_left_alone() -> None:
    for mask in (mask_with(PATCH, 0.6), mask_with(HOLE, 0.4)):
        before = mask.copy()
        settled(mask)
        assert np.array_equal(mask, before)


def test_values_stay_within_0_and_1() -> None:
    for seed in range(20):
        mask = np.random.default_rng(seed).random((40, 72), np.float32)
        calm = settled(mask)
        assert calm.dtype == np.float32
        assert 0 <= calm.min() <= calm.max() <= 1


def test_the_network_s_masks_are_settled(network: Network) -> None:
    mask = network.mask(person_picture(720, 1280))
    assert settled(mask) is mask
