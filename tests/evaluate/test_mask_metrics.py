"""Agreement of masks against values that are known."""

import math

import numpy as np
import pytest

from vmeet_core.evaluate.mask_metrics import boundary, boundary_f, grown, iou

EMPTY = np.zeros((60, 80), bool)


def box(top: int, left: int, bottom: int, right: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_iou_of_boxes() -> None:
    assert iou(box(0, 0, 10, 10), box(0, 5, 10, 15)) == pytest.approx(50 / 150)
    assert iou(box(0, 0, 10, 10), box(0, 0, 10, 10)) == 1
    assert iou(box(0, 0, 10, 10), EMPTY) == 0
    assert iou(EMPTY, EMPTY) == 1


@pytest.mark.parametrize("radius_px", [0, 1, 3, 12, 90])
def test_growing_is_the_disk_around_each_pixel(radius_px: int) -> None:
    mask = np.random.default_rng(1).random((37, 41)) < 0.003
    rows, columns = np.mgrid[:37, :41]
    wanted = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        wanted |= (rows - row) ** 2 + (columns - column) ** 2 <= radius_px**2
    np.testing.assert_array_equal(grown(mask, radius_px), wanted)


def test_a_boundary_is_one_pixel_wide_and_the_frame_is_none() -> None:
    assert np.argwhere(boundary(box(0, 0, 60, 2))[:, :5].all(axis=0)).tolist() == [[1]]
    assert not boundary(~EMPTY).any()


def test_boundary_f_forgives_the_tolerance_and_no_more() -> None:
    shape = (300, 400)
    radius_px = math.ceil(0.008 * 500)
    truth = box(50, 50, 250, 200, shape)
    assert boundary_f(truth, truth) == 1
    assert boundary_f(np.roll(truth, radius_px, axis=1), truth) == 1
    assert boundary_f(np.roll(truth, radius_px + 1, axis=1), truth) < 0.6  # only the horizontal edges still meet


def test_boundary_f_is_the_harmonic_mean_of_precision_and_recall() -> None:
    shape = (300, 400)
    truth, other = box(50, 50, 100, 100, shape), box(50, 50, 100, 100, shape) | box(200, 200, 250, 250, shape)
    assert boundary_f(truth, other) == pytest.approx(2 * 1 * 0.5 / 1.5, abs=0.01)
    assert boundary_f(truth, other) == pytest.approx(boundary_f(other, truth))


def test_boundary_f_without_a_boundary() -> None:
    assert boundary_f(EMPTY, EMPTY) == 1
    assert boundary_f(EMPTY, box(10, 10, 20, 20)) == 0
    assert boundary_f(~EMPTY, box(10, 10, 20, 20)) == 0
    assert boundary_f(box(1, 1, 5, 5), box(40, 60, 50, 70)) == 0
