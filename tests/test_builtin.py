"""The brightness filter: dark pictures become lighter, good ones stay as they are, and nothing jumps."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from effect_scenes import before, outline, plain
from pydantic import ValidationError

from vmeet_core.builtin import BrightnessOptions, BrightnessProvider, BrightnessStream, gamma_table, wanted_log_gamma
from vmeet_core.evaluate.portraits import Scene, find_portraits, read_portrait, webcam_scene
from vmeet_core.hookspecs import Frame, FrameStream, Options


def picture(median: int, size: tuple[int, int] = (90, 121), color: str = "bt601-limited") -> Frame:
    """A picture with noise around a brightness; its planes cannot be written, as the contract says."""
    height, width = size
    random = np.random.default_rng(1)
    y = np.clip(random.normal(median, 10, size), 16, 235).astype(np.uint8)
    u, v = random.integers(100, 150, (2, (height + 1) // 2, (width + 1) // 2), dtype=np.uint8)
    for plane in (y, u, v):
        plane.flags.writeable = False
    return Frame(y, u, v, color)


def stream(**options: float) -> FrameStream:
    engine = BrightnessProvider().load(Options(), None)  # type: ignore[arg-type]
    return engine.open(BrightnessOptions(**options))


def median(frame: Frame) -> float:
    return float(np.median(frame.y))


@pytest.mark.parametrize("level", [100, 125, 150])
def test_a_good_picture_is_left_alone(level):
    frame = picture(level)
    out = stream().process(frame, 0.0)
    assert np.array_equal(out.y, frame.y)


def test_a_dark_picture_becomes_lighter_and_a_glaring_one_darker():
    assert median(stream().process(picture(40), 0.0)) > 60
    assert median(stream().process(picture(215), 0.0)) < 200
    moderate = median(stream().process(picture(70), 0.0))
    assert moderate == pytest.approx(16 + 0.35 * 219, abs=3)


@pytest.mark.parametrize("size", [(90, 121), (1, 1), (720, 1280)])
@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
def test_size_colour_and_range_stay(size, color):
    frame = picture(40, size, color)
    out = stream().process(frame, 0.0)
    assert (out.y.shape, out.y.dtype, out.color) == (size, np.uint8, color)
    assert np.array_equal(out.u, frame.u)
    assert np.array_equal(out.v, frame.v)
    assert out.y.min() >= 16
    assert out.y.max() <= (235 if color == "bt601-limited" else 255)
    assert not any(np.shares_memory(a, b) for a, b in ((out.y, frame.y), (out.u, frame.u), (out.v, frame.v)))


def test_a_change_of_light_is_followed_slowly():
    filter_ = stream(settle_s=1.0)
    dark, light = picture(40), picture(125)
    corrected = median(filter_.process(dark, 0.0))
    at_once = median(filter_.process(light, 1 / 30))
    assert at_once > 140  # the old correction still holds
    levels = [median(filter_.process(light, 1 / 30 + i / 30)) for i in range(1, 150)]
    steps = -np.diff([at_once, *levels])
    assert steps.min() >= 0
    assert steps.max() <= 3
    assert levels[-1] == pytest.approx(125, abs=1)
    assert corrected > 60


def test_time_that_goes_backwards_changes_nothing():
    filter_ = stream()
    filter_.process(picture(40), 10.0)
    assert median(filter_.process(picture(125), 5.0)) > 140


def test_strength():
    frame = picture(40)
    assert np.array_equal(stream(strength=0).process(frame, 0.0).y, frame.y)
    half, full = (median(stream(strength=s).process(frame, 0.0)) for s in (0.5, 1.0))
    assert 40 < half < full


def test_new_options_apply_while_it_runs():
    filter_ = stream(settle_s=0)
    frame = picture(40)
    filter_.process(frame, 0.0)
    filter_.update(BrightnessOptions(strength=0, settle_s=0))
    assert np.array_equal(filter_.process(frame, 1.0).y, frame.y)


def test_options_have_bounds():
    with pytest.raises(ValidationError):
        BrightnessOptions(strength=2)


def test_close_may_be_called_twice():
    opened = BrightnessStream(BrightnessOptions())
    opened.close()
    opened.close()


@pytest.mark.parametrize("luma", [np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)])
def test_black_and_white_are_corrected_within_bounds(luma):
    assert abs(wanted_log_gamma(luma, 16, 235)) <= np.log(2.5) + 1e-9


@pytest.mark.parametrize(("low", "high"), [(16, 235), (0, 255)])
def test_the_table_rises_and_keeps_its_ends(low, high):
    assert np.array_equal(gamma_table(1.0, low, high), np.arange(256))
    table = gamma_table(0.5, low, high)
    assert np.all(np.diff(table.astype(int)) >= 0)
    assert (table[low], table[high], table[0], table[255]) == (low, high, 0, 255)


# ---- where it is told where the person is ----

SIZE = (360, 640)
PERSON = outline(SIZE)
HINT = (outline((144, 256)) * 255).astype(np.uint8)
HINT.flags.writeable = False


def portrait(face: int, room: int, color: str = "bt601-limited") -> Frame:
    """Somebody of one brightness before a room of another, and the hint that a filter gave."""
    made = before(PERSON, plain(SIZE, face, color=color), plain(SIZE, room, color=color))
    return replace(made, person=HINT)


def face(frame: Frame) -> float:
    return float(np.median(frame.y[80:150, 300:340]))


def settled(filter_: FrameStream, frame: Frame, frames: int = 200) -> Frame:
    """What becomes of it after some seconds; the first picture comes without a hint."""
    filter_.process(replace(frame, person=None), 0.0)
    return [filter_.process(frame, number / 30) for number in range(1, frames)][-1]


@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
def test_somebody_before_a_bright_window_is_lifted(color):
    dark = portrait(60, 230, color)
    assert face(settled(stream(), dark)) > 90
    assert face(settled(stream(), replace(dark, person=None))) <= 60


@pytest.mark.parametrize("room", [16, 30, 200, 235])
def test_a_good_face_is_left_alone_whatever_is_behind_it(room):
    assert abs(face(settled(stream(), portrait(140, room))) - 140) <= 1


def test_a_dark_room_does_not_burn_the_face():
    """Lit by a screen at night: the whole picture is dark, the face is not."""
    night = portrait(170, 25)
    assert face(stream().process(replace(night, person=None), 0.0)) > 190
    assert face(settled(stream(), night)) <= 171


def test_a_dark_jacket_does_not_burn_the_face():
    dressed = portrait(150, 120)
    dressed.y[SIZE[0] // 2 :][PERSON[SIZE[0] // 2 :] > 0] = 20
    assert abs(face(settled(stream(), dressed)) - 150) <= 1


def test_a_glaring_face_becomes_darker():
    assert face(settled(stream(), portrait(230, 120))) < 224


def test_lifting_stops_before_the_lit_side_of_a_face_loses_its_shape():
    half_lit = portrait(60, 60)
    half_lit.y[:, : SIZE[1] // 2][PERSON[:, : SIZE[1] // 2] > 0] = 60
    half_lit.y[60:170, 335:345] = 205
    lifted = settled(stream(), half_lit)
    assert np.percentile(lifted.y[60:170, 335:345], 95) <= 16 + 0.92 * 219


def test_the_hint_changes_it_slowly_and_in_one_direction():
    filter_, dark = stream(), portrait(60, 230)
    levels = [face(filter_.process(replace(dark, person=None), 0.0))]
    levels += [face(filter_.process(dark, number / 30)) for number in range(1, 200)]
    steps = np.diff(levels)
    assert steps.min() >= 0
    assert steps.max() <= 4


def test_a_mask_that_flickers_does_not_make_the_picture_pump():
    filter_, dark, random = stream(), portrait(60, 230), np.random.default_rng(0)
    levels = []
    for number in range(300):
        shaken = np.roll(np.pad(HINT, 8, mode="edge"), random.integers(-4, 5, 2), (0, 1))[8:-8, 8:-8]
        hint = None if random.random() < 0.05 else shaken
        levels.append(face(filter_.process(replace(dark, person=hint), number / 30)))
    assert min(levels[200:]) > 90
    assert np.ptp(levels[200:]) <= 8
    assert np.abs(np.diff(levels[200:])).max() <= 3


@pytest.mark.parametrize("hint", [np.zeros((144, 256), np.uint8), np.full((9, 16), 128, np.uint8), None])
def test_nobody_in_the_hint_is_no_hint(hint):
    frame = picture(40, SIZE)
    expected = stream().process(frame, 0.0)
    assert np.array_equal(stream().process(replace(frame, person=hint), 0.0).y, expected.y)


@pytest.mark.parametrize("hint", [(1, 1), (2, 7), (145, 257), (720, 1280)])
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (720, 1280)])
def test_hints_of_any_size_go_with_pictures_of_any_size(hint, size):
    frame = replace(picture(40, size), person=np.full(hint, 255, np.uint8))
    assert median(stream().process(frame, 0.0)) > 55


def test_somebody_far_away_counts_little():
    """Between a hundredth and a twenty-fifth of the picture the person counts more and more: nothing jumps."""
    gains = []
    for rows in range(1, 20):
        hint = np.zeros((100, 100), np.uint8)
        hint[:rows, :30] = 255
        frame = picture(150, (100, 100))
        frame = Frame(np.where(hint > 0, 40, frame.y), frame.u, frame.v, person=hint)
        gains.append(float(stream().process(frame, 0.0).y[0, 0]))
    assert np.max(np.abs(np.diff(gains))) <= 15
    assert gains[-1] > 60
    assert gains[0] <= 41


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Scene]:
    def read() -> Iterator[Scene]:
        for found in find_portraits(shared_data / "portraits"):
            yield webcam_scene(read_portrait(found))

    return list(read())


def hinted(scene: Scene, frame: Frame) -> Frame:
    return replace(frame, person=scene.truth[::5, ::5].astype(np.uint8) * 255)


def face_level(scene: Scene, frame: Frame) -> float:
    """Of the brightest fifth of the head, as a part of the luma range."""
    rows = np.flatnonzero(scene.truth.any(axis=1))
    top, bottom = rows[0], rows[0] + int(0.4 * (rows[-1] + 1 - rows[0]))
    return (float(np.percentile(frame.y[top:bottom][scene.truth[top:bottom]], 80)) - 16) / 219


def test_good_photos_are_left_alone(photos):
    changes = [
        np.abs(stream().process(hinted(s, s.frame), 0.0).y.astype(int) - s.frame.y)[s.truth].mean() for s in photos
    ]
    assert sum(change < 1 for change in changes) >= 0.85 * len(photos)
    assert max(changes) < 30  # a small face in much black hair is taken for a dark one


def test_photos_before_a_window_are_lifted_and_no_face_is_clipped(photos):
    """The person a third as bright, the room all but white."""
    for scene in photos:
        luma = np.where(scene.truth, 16 + (scene.frame.y.astype(float) - 16) / 3, 225).astype(np.uint8)
        frame = hinted(scene, Frame(luma, scene.frame.u, scene.frame.v))
        lifted = stream().process(frame, 0.0)
        before_, after = face_level(scene, frame), face_level(scene, lifted)
        assert after > min(0.3, 1.5 * before_), scene
        assert np.percentile(lifted.y[scene.truth], 99) < 230
        alone = stream().process(replace(frame, person=None), 0.0)
        assert face_level(scene, alone) <= before_ + 0.01
