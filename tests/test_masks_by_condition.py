"""The conditions spoil what they say and nothing else."""

import numpy as np
import pytest
from masks_by_condition import CONDITIONS

from vmeet_core.evaluate.portraits import Scene

SIZE = (180, 320)


def scene() -> Scene:
    """Somebody, in stripes, before noise."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    truth = (np.abs(columns - 160) < 50) & (rows > 40)
    rgb = np.random.default_rng(0).integers(60, 200, (*SIZE, 3)).astype(np.uint8)
    rgb[truth] = np.where((rows // 8 % 2)[truth][:, None], (190, 140, 120), (90, 70, 60))
    return Scene(rgb, truth)


def brightness(given: Scene) -> tuple[float, float]:
    """Of the person and of the room."""
    return float(given.rgb[given.truth].mean()), float(given.rgb[~given.truth].mean())


@pytest.mark.parametrize("name", CONDITIONS)
def test_size_and_type_stay_and_it_is_always_the_same(name: str) -> None:
    spoilt, again = CONDITIONS[name](scene()), CONDITIONS[name](scene())
    assert (spoilt.rgb.shape, spoilt.rgb.dtype, spoilt.truth.shape) == ((*SIZE, 3), np.uint8, SIZE)
    assert np.array_equal(spoilt.rgb, again.rgb)
    assert np.array_equal(spoilt.rgb, scene().rgb) == (name == "as it is")


@pytest.mark.parametrize("name", [name for name in CONDITIONS if "large" not in name])
def test_the_person_stays_where_it_was(name: str) -> None:
    assert np.array_equal(CONDITIONS[name](scene()).truth, scene().truth)


def test_light_is_taken_where_it_should_be() -> None:
    person, room = brightness(scene())
    dark, back_lit = (brightness(CONDITIONS[name](scene())) for name in ("dark", "back-lit"))
    assert dark[0] < 0.4 * person
    assert dark[1] < 0.4 * room
    assert back_lit[0] < 0.5 * person
    assert back_lit[1] > 1.3 * room


def steps(given: Scene, axis: int) -> float:
    """From pixel to pixel, around the left outline of the person."""
    return float(np.abs(np.diff(given.rgb.astype(int), axis=axis))[60:, 105:115].mean())


def test_detail_is_lost() -> None:
    sharp, blurred, smeared = (CONDITIONS[name](scene()) for name in ("as it is", "out of focus", "in motion"))
    assert steps(blurred, 0) < 0.5 * steps(sharp, 0)
    assert steps(smeared, 1) < 0.9 * steps(sharp, 1)
    crushed = CONDITIONS["compressed"](scene())
    assert len(np.unique(crushed.rgb.reshape(-1, 3), axis=0)) < 0.5 * len(np.unique(sharp.rgb.reshape(-1, 3), axis=0))


@pytest.mark.parametrize(("name", "share"), [("half as large", 0.5), ("a quarter as large", 0.25)])
def test_the_person_is_as_small_as_it_says_and_stands_at_the_bottom(name: str, share: float) -> None:
    small = CONDITIONS[name](scene())
    assert small.truth.sum() == pytest.approx(share**2 * scene().truth.sum(), rel=0.1)
    assert small.truth[-1].any()
