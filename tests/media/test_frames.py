"""Tests of planes and scaling."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vmeet_core.media.frames import Planes, Scaler, frame_of, planes_of, upright_size, video_frame
from vmeet_core.media.mux import PictureWriter, picture_at


def random_planes(width: int, height: int) -> Planes:
    rng = np.random.default_rng(3)
    half = ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (rng.integers(0, 255, shape, np.uint8) for shape in ((height, width), half, half))
    return y, u, v


def grey(width: int, height: int, y: int, u: int, v: int) -> av.VideoFrame:
    half = ((height + 1) // 2, (width + 1) // 2)
    return video_frame((np.full((height, width), y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8)))


@pytest.mark.parametrize("size_px", [(64, 36), (63, 35), (638, 4)])
def test_planes_survive_the_way_through_a_frame(size_px: tuple[int, int]) -> None:
    planes = random_planes(*size_px)
    for before, after in zip(planes, planes_of(video_frame(planes)), strict=True):
        assert np.array_equal(before, after)


def test_the_contract_frame_says_which_range_it_has() -> None:
    frame = grey(64, 36, 100, 90, 200)
    assert frame_of(frame).color == "bt601-limited"
    frame.color_range = 2
    assert frame_of(frame).color == "bt601-full"
    assert frame_of(frame).y[0, 0] == 100


def test_a_picture_is_scaled() -> None:
    y, u, v = Scaler().scale(grey(640, 480, 100, 90, 200), 322, 240)
    assert (y.shape, u.shape, v.shape) == ((240, 322), (120, 161), (120, 161))
    assert (y[0, 0], u[0, 0], v[0, 0]) == (100, 90, 200)


def test_the_matrix_of_hd_and_full_range_are_converted() -> None:
    frame = grey(64, 64, 100, 90, 200)
    frame.colorspace, frame.color_range = 1, 1  # BT.709
    y, u, v = Scaler().scale(frame, 64, 64)
    # BT.709 to RGB and RGB to BT.601 by the standards' matrices: (109, 83, 202), a unit off for rounding.
    assert np.allclose((y[5, 5], u[5, 5], v[5, 5]), (109, 83, 202), atol=1)
    frame.colorspace, frame.color_range = 6, 2  # BT.601, full range
    assert Scaler().scale(frame, 64, 64)[0][5, 5] == pytest.approx(16 + 100 * 219 / 255, abs=1)


def test_the_size_may_change_between_pictures() -> None:
    scaler = Scaler()
    for size_px in ((640, 360), (320, 180), (360, 640)):
        assert scaler.scale(grey(*size_px, 50, 128, 128), 64, 36)[0].shape == (36, 64)


@pytest.mark.parametrize(("matrix", "corner"), [((0, 1, -1, 0), "right"), ((0, -1, 1, 0), "left")])
def test_a_phone_held_upright(tmp_path: Path, matrix: tuple[int, ...], corner: str) -> None:
    """The header of an MP4 says how to turn the picture (ISO 14496-12, 8.3.2): here by 90 degrees, either way."""
    y = np.full((64, 128), 40, np.uint8)
    y[:16, :32] = 220  # top left, as it was taken
    half = np.full((32, 64), 128, np.uint8)
    with PictureWriter(tmp_path / "a.mp4", 128, 64, Fraction(30), 1) as writer:
        for _ in range(3):
            writer.write((y, half, half))
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value * 0x10000 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    (tmp_path / "a.mp4").write_bytes(data)
    frame = picture_at(tmp_path / "a.mp4", 0)
    assert upright_size(frame) == (64, 128)
    upright = Scaler().scale(frame, 64, 128)[0]
    assert upright.shape == (128, 64)
    bright = upright[:28, -14:] if corner == "right" else upright[-28:, :14]
    assert bright.mean() > 200
    assert upright.mean() < 80


def test_without_rotation_the_upright_size_is_the_size() -> None:
    assert upright_size(grey(64, 36, 1, 1, 1)) == (64, 36)
