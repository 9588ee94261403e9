"""The light on the rim: there, only there, and only where there is light."""

import numpy as np
import pytest
from effect_scenes import HD, inner, outline, plain, seen_by_a_network

from vmeet_core.effects.light_wrap import REACH, LightWrap
from vmeet_core.effects.planes import Alpha, shrunk
from vmeet_core.effects.seam import SoftEdge

PERSON = outline(HD)
BRIGHT, DARK = plain(HD, 235, 90, 160), plain(HD, 16)


@pytest.fixture(scope="module")
def alpha() -> Alpha:
    mask, grey = seen_by_a_network(PERSON), plain(HD, 100).y
    return SoftEdge().alpha(mask, shrunk(grey, mask.shape), grey, 0.3)


def rim(margin_px: int = 12) -> np.ndarray:
    return (PERSON > 0) & ~inner(PERSON, margin_px)


def test_none_is_none(alpha):
    person = plain(HD, 100)
    assert LightWrap().lit(person, BRIGHT, alpha, 0.0) is person


def test_bright_light_falls_on_the_rim_and_not_further(alpha):
    lit = LightWrap().lit(plain(HD, 100), BRIGHT, alpha, 1.0)
    assert lit.y[rim()].mean() > 110
    assert lit.v[rim()[::2, ::2]].mean() > 130
    deep = inner(PERSON, round(REACH * HD[0]) + 24)
    assert deep.any()
    assert (lit.y[deep] == 100).all()
    assert (lit.v[deep[::2, ::2]] == 128).all()


def test_it_fades_towards_the_inside(alpha):
    lit = LightWrap().lit(plain(HD, 100), BRIGHT, alpha, 1.0)
    bands = [inner(PERSON, near) & ~inner(PERSON, near + 3) for near in (8, 14, 20, 26, 32)]
    light = [lit.y[band].mean() for band in bands]
    assert light == sorted(light, reverse=True)


def test_dark_light_changes_little(alpha):
    lit = LightWrap().lit(plain(HD, 100), DARK, alpha, 1.0)
    assert np.abs(lit.y.astype(int) - 100).max() <= 4


def test_more_is_brighter(alpha):
    wrap = LightWrap()
    light = [wrap.lit(plain(HD, 100), BRIGHT, alpha, strength).y[rim()].mean() for strength in (0, 0.25, 0.5, 1)]
    assert light == sorted(light)
    assert light[1] > light[0]
