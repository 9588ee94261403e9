"""Tests of where tiles lie, and of painting."""

import numpy as np
import pytest

from vmeet_core.media.frames import Planes
from vmeet_core.media.layout import BACKGROUND, GAP_PX, STRIP, Canvas, Patch, Rect, fitted, grid, stage


def planes(width: int, height: int, color: tuple[int, int, int]) -> Planes:
    half = (height // 2, width // 2)
    return (
        np.full((height, width), color[0], np.uint8),
        np.full(half, color[1], np.uint8),
        np.full(half, color[2], np.uint8),
    )


@pytest.mark.parametrize("count", range(1, 60))
def test_cells_are_equal_even_inside_and_apart(count: int) -> None:
    cells = grid(count, 1280, 720)
    assert len(cells) == count
    assert len({(cell.width, cell.height) for cell in cells}) == 1
    covered = np.zeros((720, 1280), np.int8)
    for cell in cells:
        assert all(value % 2 == 0 for value in cell)
        covered[cell.y : cell.y + cell.height, cell.x : cell.x + cell.width] += 1
    assert covered.max() == 1
    assert covered.sum() == count * cells[0].width * cells[0].height


@pytest.mark.parametrize("size_px", [(1280, 720), (1920, 1080), (320, 180), (720, 1280)])
@pytest.mark.parametrize("large", [1, 2, 3])
@pytest.mark.parametrize("small", [*range(1, 26), 48, 49])
def test_large_pictures_have_most_and_nothing_overlaps(large: int, small: int, size_px: tuple[int, int]) -> None:
    width, height = size_px
    first, second = stage(large, small, width, height)
    assert (len(first), len(second)) == (large, small)
    assert len({(cell.width, cell.height) for cell in second}) == 1
    covered = np.zeros((height, width), np.int8)
    for cell in [*first, *second]:
        assert all(value % 2 == 0 and value >= 0 for value in cell)
        assert cell.x + cell.width <= width
        assert cell.y + cell.height <= height
        covered[cell.y : cell.y + cell.height, cell.x : cell.x + cell.width] += 1
    assert covered.max() == 1
    bounds = max(cell.x + cell.width for cell in first) * max(cell.y + cell.height for cell in first)
    assert bounds >= (1 - STRIP - 2 * GAP_PX / 320) * width * height
    tile = second[0]
    assert tile.width == pytest.approx(tile.height * 16 / 9, abs=4)  # both are rounded to even numbers


def test_the_strip_has_one_line_for_few_and_more_for_many() -> None:
    lines = [len({cell.x for cell in stage(1, small, 1280, 720)[1]}) for small in (1, 4, 7, 8, 16, 24, 48)]
    assert lines == sorted(lines)
    assert lines[:4] == [1, 1, 1, 2]
    assert min(cell.height for cell in stage(1, 48, 1280, 720)[1]) >= 44


def test_an_upright_canvas_has_the_strip_below() -> None:
    (large,), strip = stage(1, 3, 720, 1280)
    assert large.y == 0
    assert large.width == 720
    assert min(cell.y for cell in strip) == large.y + large.height + GAP_PX


def test_alone_in_kind_they_share_the_canvas() -> None:
    assert stage(0, 3, 1280, 720) == ([], grid(3, 1280, 720))
    assert stage(2, 0, 1280, 720) == (grid(2, 1280, 720), [])


def test_the_shapes_people_expect() -> None:
    assert grid(0, 1280, 720) == []
    assert grid(1, 1280, 720) == [Rect(0, 0, 1280, 720)]
    left, right = grid(2, 1280, 720)
    assert left.y == right.y
    assert left.height == 720
    assert len({cell.y for cell in grid(4, 1280, 720)}) == 2
    top, _, bottom = grid(3, 1280, 720)
    assert bottom.x + bottom.width / 2 == 640
    assert top.y < bottom.y


@pytest.mark.parametrize(("width", "height"), [(640, 360), (640, 480), (360, 640), (1920, 1080), (2, 2000), (101, 77)])
def test_a_picture_keeps_its_shape_and_touches_its_cell(width: int, height: int) -> None:
    cell = Rect(10, 20, 636, 356)
    place = fitted(width, height, cell)
    assert cell.x <= place.x
    assert place.x + place.width <= cell.x + cell.width
    assert cell.y <= place.y
    assert place.y + place.height <= cell.y + cell.height
    assert place.width >= cell.width - 1 or place.height >= cell.height - 1
    assert abs(place.width - place.height * width / height) <= 2 * max(1, width / height)


def test_a_picture_as_large_as_the_cell_fills_it() -> None:
    assert fitted(1280, 720, Rect(0, 0, 1280, 720)) == Rect(0, 0, 1280, 720)


def test_painting_stays_in_its_place() -> None:
    canvas = Canvas(64, 32)
    canvas.paste(planes(16, 8, (200, 90, 60)), Rect(8, 4, 16, 8))
    expected = np.full((32, 64), BACKGROUND[0], np.uint8)
    expected[4:12, 8:24] = 200
    assert np.array_equal(canvas.planes[0], expected)
    assert (canvas.planes[1] == 90).sum() == 8 * 4
    assert canvas.planes[2][2, 4] == 60
    canvas.fill(Rect(8, 4, 16, 8))
    assert (canvas.planes[0] == BACKGROUND[0]).all()


def test_blending_shows_each_picture_by_its_share_and_is_cut_at_the_edge() -> None:
    canvas = Canvas(16, 16)
    canvas.fill(Rect(0, 0, 16, 16), (100, 128, 128))
    patch = Patch(planes(8, 8, (200, 28, 128)), np.full((8, 8), 128, np.uint16), np.full((4, 4), 256, np.uint16))
    canvas.blend(patch, 12, 12)
    assert (canvas.planes[0][12:, 12:] == 150).all()
    assert (canvas.planes[1][6:, 6:] == 28).all()
    assert (canvas.planes[0] == 100).sum() == 16 * 16 - 4 * 4
