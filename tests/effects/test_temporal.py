"""The mask over time: calm where nothing moves, no trail where something does."""

import numpy as np
import pytest

from vmeet_core.effects.temporal import MaskSmoother

SIZE = (72, 128)
FRAME_S = 1 / 30


def flickering(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(mask + rng.normal(0, 0.15, mask.shape), 0, 1).astype(np.float32)


def with_noise(luma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A camera's noise after averaging down to the mask's size."""
    return np.clip(np.round(luma + rng.normal(0, 1.5, luma.shape)), 0, 255).astype(np.uint8)


def person_at(left: int) -> tuple[np.ndarray, np.ndarray]:
    """Mask and luma of a bright box of 24 x 40 before a room with a pattern."""
    mask = np.zeros(SIZE, np.float32)
    mask[20:60, left : left + 24] = 1
    y, x = np.ogrid[: SIZE[0], : SIZE[1]]
    room = 70 + 20 * ((x // 8 + y // 8) % 2)
    return mask, np.where(mask > 0, 180, room).astype(float)


def test_flicker_is_calmed_where_nothing_moves():
    rng, smoother = np.random.default_rng(0), MaskSmoother(0.5)
    mask, luma = np.full(SIZE, 0.5, np.float32), person_at(40)[1]
    given = [flickering(mask, rng) for _ in range(60)]
    calm = [smoother.smooth(each, with_noise(luma, rng), n * FRAME_S) for n, each in enumerate(given)]
    flicker_before, flicker_after = (np.abs(np.diff(masks[20:], axis=0)).mean() for masks in (given, calm))
    assert flicker_after < 0.35 * flicker_before


def test_more_smoothing_is_calmer_and_none_changes_nothing():
    flickers = []
    for smoothing in (0.0, 0.3, 0.6, 1.0):
        rng, smoother = np.random.default_rng(0), MaskSmoother(smoothing)
        luma = person_at(40)[1]
        given = [flickering(np.full(SIZE, 0.5, np.float32), rng) for _ in range(30)]
        calm = [smoother.smooth(each, with_noise(luma, rng), n * FRAME_S) for n, each in enumerate(given)]
        if smoothing == 0:
            assert all(np.array_equal(a, b) for a, b in zip(given, calm, strict=True))
        flickers.append(np.abs(np.diff(calm, axis=0)).mean())
    assert flickers == sorted(flickers, reverse=True)


def test_motion_is_followed_without_a_trail():
    rng, smoother = np.random.default_rng(0), MaskSmoother(1.0)
    for n in range(20):
        mask, luma = person_at(10 + 4 * n)
        seen = smoother.smooth(mask, with_noise(luma, rng), n * FRAME_S)
        assert np.abs(seen - mask).max() < 0.05
    # The same memory without the look at the picture drags a trail.
    plain = person_at(10)[0]
    for n in range(20):
        mask = person_at(10 + 4 * n)[0]
        plain = mask + np.exp(-FRAME_S / 0.3) * (plain - mask)
    assert np.abs(plain - mask).max() > 0.8


def test_a_person_who_leaves_after_a_long_rest_is_gone_at_once():
    rng, smoother = np.random.default_rng(0), MaskSmoother(1.0)
    mask, luma = person_at(40)
    for n in range(90):
        smoother.smooth(mask, with_noise(luma, rng), n * FRAME_S)
    nobody = np.zeros(SIZE, np.float32)
    room = np.where(mask > 0, 80, luma)
    assert smoother.smooth(nobody, with_noise(room, rng), 3.0).max() < 0.05


def test_slow_motion_adds_up():
    """A person who fades into the room by a step of luma a picture is followed before long."""
    smoother = MaskSmoother(1.0)
    mask, luma = person_at(40)
    for n in range(40):
        seen = smoother.smooth(mask if n < 10 else 0 * mask, np.clip(luma - n, 0, 255).astype(np.uint8), n * FRAME_S)
    assert seen.max() < 0.1


@pytest.mark.parametrize("pts_s", [0.6, -0.1, 1e6])
def test_it_starts_anew_after_a_gap_and_when_time_goes_back(pts_s):
    smoother = MaskSmoother(1.0)
    mask, luma = person_at(40)
    still = luma.astype(np.uint8)
    smoother.smooth(mask, still, 0.0)
    assert smoother.smooth(0 * mask, still, 0.4).max() > 0.2
    smoother.smooth(mask, still, 0.0)
    assert smoother.smooth(0 * mask, still, pts_s).max() == 0


def test_it_starts_anew_when_the_size_changes_and_when_told_to():
    smoother = MaskSmoother(1.0)
    mask, luma = person_at(40)
    still = luma.astype(np.uint8)
    smoother.smooth(mask, still, 0.0)
    assert smoother.smooth(np.zeros((36, 64), np.float32), still[::2, ::2], FRAME_S).max() == 0
    smoother.smooth(mask, still, 0.1)
    smoother.reset()
    assert smoother.smooth(0 * mask, still, 0.1 + FRAME_S).max() == 0


def test_the_rate_of_pictures_makes_no_difference():
    left = []
    for fps in (10, 30, 60):
        smoother = MaskSmoother(1.0)
        mask, luma = person_at(40)
        for n in range(fps // 5 + 1):
            seen = smoother.smooth(mask if n == 0 else 0 * mask, luma.astype(np.uint8), n / fps)
        left.append(float(seen.max()))
    assert left == pytest.approx([np.exp(-0.2 / 0.3)] * 3, rel=1e-3)


def test_inputs_stay_as_they_are():
    rng, smoother = np.random.default_rng(0), MaskSmoother(0.7)
    mask, luma = flickering(person_at(40)[0], rng), person_at(40)[1].astype(np.uint8)
    mask.flags.writeable = luma.flags.writeable = False
    for n in range(3):
        smoother.smooth(mask, luma, n * FRAME_S)
