"""The arithmetic: exact to the bit, whatever the size."""

import numpy as np
import pytest
from effect_scenes import plain

from vmeet_core.effects.planes import Alpha, Workspace, blend, check_frame, grown, mixed, shrunk
from vmeet_core.hookspecs import Frame


def test_mixing_rounds_every_value_to_the_nearest():
    front, back = (values.astype(np.uint8) for values in np.meshgrid(np.arange(256), np.arange(256)))
    for alpha in range(256):
        exact = np.round((front * float(alpha) + back * float(255 - alpha)) / 255)
        assert np.array_equal(mixed(front, back, np.full_like(front, alpha)), exact)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (33, 41_001), (721, 1279)])
def test_blending_takes_one_or_the_other_at_the_ends(size):
    front, back = plain(size, 10, 20, 30), plain(size, 200, 210, 220)
    for value, wanted in ((255, front), (0, back)):
        whole = plain(size, value, value)
        seen = blend(front, back, Alpha(whole.y, whole.u))
        assert all(np.array_equal(getattr(seen, p), getattr(wanted, p)) for p in "yuv")


def test_a_workspace_gives_the_same_array_until_the_size_changes():
    space = Workspace()
    first = space.plane("a", (4, 6))
    assert space.plane("a", (4, 6)) is first
    assert space.plane("b", (4, 6)) is not first
    assert space.plane("a", (6, 4)).shape == (6, 4)
    assert space.floats("a", (4, 6)).dtype == np.float32


def test_scaling_keeps_what_is_constant():
    for value in (0, 1, 128, 255):
        plane = np.full((37, 53), value, np.uint8)
        assert (shrunk(plane, (9, 13)) == value).all()
        assert (grown(plane, (100, 211)) == value).all()


def test_what_is_no_frame_is_refused():
    good = plain((5, 7), 1)
    check_frame(good)
    with pytest.raises(ValueError, match=r"no I420 picture: y \(5, 7\), u \(2, 4\)"):
        check_frame(Frame(good.y, good.u[:2], good.v))
    with pytest.raises(ValueError, match="uint8, not float64"):
        check_frame(Frame(good.y.astype(float), good.u, good.v))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bt709"):
        check_frame(Frame(good.y, good.u, good.v, "bt709"))


@pytest.mark.parametrize(
    ("size", "small"), [((720, 1280), (160, 288)), ((1080, 1920), (176, 256)), ((720, 1280), (144, 256))]
)
def test_shrinking_in_two_steps_gives_the_mean_of_what_each_pixel_covers(size, small):
    rows, columns = (np.arange(side, dtype=np.float64) for side in size)
    smooth = 127 + 60 * np.sin(rows[:, None] / 40) + 60 * np.cos(columns / 55)
    means = _cumulative_means(_cumulative_means(smooth, small[0]).T, small[1]).T
    assert np.abs(shrunk(np.round(smooth).astype(np.uint8), small) - means).max() < 1.5


def _cumulative_means(values, count):
    """Means of the rows over ``count`` equal parts, whose borders lie anywhere."""
    before = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    borders = np.linspace(0, len(values), count + 1)
    below = np.minimum(borders.astype(int), len(values) - 1)
    sums = before[below] + (borders - below)[:, None] * values[below]
    return np.diff(sums, axis=0) * count / len(values)
