"""Tests of drawn names."""

import numpy as np
import pytest

from vmeet_core.media.titles import Titles, initial


@pytest.mark.parametrize("fonts", [None, ()], ids=["system font", "Pillow's font"])
def test_a_label_is_white_on_dark_and_no_wider_than_its_picture(fonts: tuple[str, ...] | None) -> None:
    titles = Titles() if fonts is None else Titles(fonts)
    label = titles.label("Ann", 320, 180)
    height, width = label.planes[0].shape
    assert width % 2 == height % 2 == 0
    assert width < 160
    assert label.planes[0].max() > 200
    assert 240 < label.luma_alpha.max() <= 256
    assert 0 < label.luma_alpha[0, 0] < 256
    long = titles.label("A very long name that goes on " * 4, 320, 180)
    assert 240 < long.planes[0].shape[1] <= 320


def test_names_are_drawn_once() -> None:
    titles = Titles()
    assert titles.label("Ann", 320, 180) is titles.label("Ann", 320, 180)
    assert titles.card("Ann", 320, 180) is titles.card("Ann", 320, 180)


def test_chinese_names_differ_where_a_font_has_them() -> None:
    titles = Titles()
    if titles.has_cjk:
        assert not np.array_equal(titles.card("王", 320, 180)[0], titles.card("陳", 320, 180)[0])
    else:
        pytest.skip("no font with Chinese characters is installed")


def test_a_card_fills_its_tile() -> None:
    y, u, v = Titles().card("Ann", 322, 180)
    assert (y.shape, u.shape, v.shape) == ((180, 322), (90, 161), (90, 161))
    assert y.max() > 200


@pytest.mark.parametrize(("name", "expected"), [("ann", "A"), (" 王小明", "王"), ("e\u0301ric", "E\u0301"), ("", "?")])
def test_initials(name: str, expected: str) -> None:
    assert initial(name) == expected
