"""A frame made small for the network: its proportions, its colours, its edges."""

import numpy as np
import pytest
from vmeet_pointrend.picture import SHAPES, rgb_at, roughly, shape_for, to_rgb

from vmeet_core.color import i420_to_rgb, rgb_to_i420
from vmeet_core.hookspecs import Frame
from vmeet_core.testing import noise_picture


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((720, 1280), (160, 288)),
        ((1280, 720), (288, 160)),
        ((480, 640), (176, 256)),
        ((640, 480), (256, 176)),
        ((500, 500), (208, 208)),
        ((100, 1000), (160, 288)),
        ((1, 1), (208, 208)),
    ],
)
def test_the_shape_has_the_picture_s_proportions(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert shape_for(size) == shape


def test_every_shape_suits_the_network_and_costs_about_the_same() -> None:
    assert all(side % 16 == 0 for shape in SHAPES for side in shape)
    areas = [height * width for height, width in SHAPES]
    assert max(areas) < 1.07 * min(areas)  # multiples of 16 come no nearer


@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
@pytest.mark.parametrize("rgb", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (90, 60, 200)])
def test_colours_come_back(rgb: tuple[int, int, int], color: str) -> None:
    planes = rgb_to_i420(np.full((90, 160, 3), rgb, np.uint8), color == "bt601-limited")
    seen = rgb_at(Frame(*planes, color), (144, 256))
    assert (seen.shape, seen.dtype) == ((3, 144, 256), np.float32)
    assert np.abs(seen * 255 - np.reshape(rgb, (3, 1, 1))).max() <= 2.5


@pytest.mark.parametrize("limited", [True, False])
def test_the_matrix_is_that_of_the_core(limited: bool) -> None:
    frame = noise_picture(64, 64)
    exact = i420_to_rgb((frame.y, frame.u, frame.v), (64, 64), limited).astype(float)
    chroma = [np.repeat(np.repeat(plane, 2, 0), 2, 1) for plane in (frame.u, frame.v)]
    ours = np.stack([frame.y, *chroma, np.ones_like(frame.y)], -1) @ to_rgb(limited).T.astype(float)
    assert np.abs(np.clip(ours, 0, 255) - exact).max() <= 1


def test_small_is_the_mean_of_what_it_covers() -> None:
    frame = noise_picture(720, 1280)
    grey = Frame(frame.y, np.full((360, 640), 128, np.uint8), np.full((360, 640), 128, np.uint8), "bt601-full")
    means = frame.y.reshape(144, 5, 256, 5).mean(axis=(1, 3))
    assert np.abs(rgb_at(grey, (144, 256))[1] * 255 - means).max() <= 1


def test_colours_are_means_too_where_a_pixel_covers_whole_ones() -> None:
    plane = noise_picture(720, 1280).u
    means = plane.reshape(90, 4, 160, 4).mean(axis=(1, 3))
    assert np.abs(roughly(plane, (90, 160)) - means).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (241, 427)])
def test_any_size_will_do(size: tuple[int, int]) -> None:
    seen = rgb_at(noise_picture(*size), shape_for(size))
    assert seen.shape == (3, *shape_for(size))
    assert seen.min() >= 0
    assert seen.max() <= 1
