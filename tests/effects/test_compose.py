"""All of it together: what others see, what they must not see, and what is refused."""

import numpy as np
import pytest
from effect_scenes import HD, before, checkers, inner, locked, outer, outline, plain, seen_by_a_network

from vmeet_core.color import rgb_to_i420
from vmeet_core.effects.background import covering
from vmeet_core.effects.compose import Composer
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.pictures import built_in
from vmeet_core.effects.planes import chroma_size
from vmeet_core.hookspecs import Frame

PERSON = outline(HD)
MASK = seen_by_a_network(PERSON)
FAR_IN, FAR_OUT = 48, 32  #: beyond these, in pixels at 720p, the seam and its light have no say
EFFECTS = [{"effect": "blur"}, {"background": "#20603c"}, {"background": "dawn"}]


def composer(**given: object) -> Composer:
    return Composer(EffectOptions.model_validate(given))


def textured(size: tuple[int, int] = HD, color: str = "bt601-limited") -> Frame:
    rng = np.random.default_rng(1)
    y, (u, v) = rng.integers(90, 150, size), rng.integers(100, 156, (2, *chroma_size(size)))
    return Frame(y.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8), color)


def pattern_left(seen: np.ndarray, room: np.ndarray, where: np.ndarray) -> float:
    """How much of the room's pattern can be found, by correlation: 1 is all of it."""
    a, b = seen[where].astype(float), room[where].astype(float)
    return 0.0 if a.std() == 0 else float(abs(np.corrcoef(a, b)[0, 1]))


@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
@pytest.mark.parametrize("given", EFFECTS)
def test_the_person_passes_to_the_bit(given, color):
    scene = locked(before(PERSON, textured(color=color), checkers(HD)))
    frame = Frame(scene.y, scene.u, scene.v, color)
    seen = composer(**given).compose(frame, MASK, 0.0)
    deep = inner(PERSON, FAR_IN)
    assert deep.sum() > 100_000
    assert seen.color == color
    assert np.array_equal(seen.y[deep], frame.y[deep])
    for name in "uv":
        assert np.array_equal(getattr(seen, name)[deep[::2, ::2]], getattr(frame, name)[deep[::2, ::2]])


@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
def test_the_background_is_the_chosen_one_to_the_bit(color):
    scene = before(PERSON, textured(), checkers(HD))
    seen = composer(background="dawn").compose(Frame(scene.y, scene.u, scene.v, color), MASK, 0.0)
    wanted = rgb_to_i420(covering(built_in("dawn"), HD), color == "bt601-limited")
    far = outer(PERSON, FAR_OUT)
    assert far.sum() > 300_000
    for name, plane in zip("yuv", wanted, strict=True):
        where = far if name == "y" else far[::2, ::2]
        assert np.array_equal(getattr(seen, name)[where], plane[where])


@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
def test_a_colour_measures_the_mask_from_outside(color):
    """What an evaluation does: black behind white in the picture's own range."""
    low, high = (16, 235) if color == "bt601-limited" else (0, 255)
    seen = composer(background="#000000").compose(plain(HD, high, color=color), MASK, 0.0)
    found = (seen.y.astype(float) - low) / (high - low) > 0.5
    assert (found & (PERSON > 0)).sum() / (found | (PERSON > 0)).sum() > 0.98


@pytest.mark.parametrize("background", ["#20603c", "studio", "bookshelf"])
@pytest.mark.parametrize("feather", [0.0, 0.3, 1.0])
def test_nothing_of_the_room_can_be_found_when_it_is_replaced(background, feather):
    room = checkers(HD)
    given = {"background": background, "feather": feather}
    scene, empty = (
        before(PERSON, plain(HD, 120, 110, 150), room),
        before(PERSON, plain(HD, 120, 110, 150), plain(HD, 90)),
    )
    seen, blank = (composer(**given).compose(frame, MASK, 0.0) for frame in (scene, empty))
    far = outer(PERSON, FAR_OUT)
    assert np.array_equal(seen.y[far], blank.y[far])
    # Close to the edge too, next to nothing is left of steps of 180.
    near = outer(PERSON, 4) & ~far
    trace = np.abs(seen.y.astype(int) - blank.y)[near]
    assert trace.mean() < 6
    assert pattern_left(seen.y.astype(int) - blank.y, room.y, outer(PERSON, 8)) < 0.1


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_a_blurred_pattern_is_lost(strength):
    room = checkers(HD, cell_px=12)
    seen = composer(strength=strength).compose(before(PERSON, plain(HD, 120), room), MASK, 0.0)
    assert np.abs(seen.y.astype(int) - 130)[outer(PERSON, FAR_OUT)].max() <= 8


def test_blur_shows_no_halo():
    """Nothing of a red person in the grey around, further out than the seam."""
    frame = before(PERSON, plain(HD, 81, 90, 240), plain(HD, 150))
    seen = composer(strength=1.0, light_wrap=1.0).compose(frame, MASK, 0.0)
    around = outer(PERSON, 12)
    assert np.abs(seen.v.astype(int) - 128)[around[::2, ::2]].max() <= 1
    assert np.abs(seen.y.astype(int) - 150)[around].max() <= 1


@pytest.mark.parametrize("given", EFFECTS)
def test_other_filters_are_told_where_the_person_is(given):
    seen = composer(**given).compose(textured(), MASK, 0.0)
    assert (seen.person.shape, seen.person.dtype) == (MASK.shape, np.uint8)
    assert np.abs(seen.person / 255 - MASK).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("given", EFFECTS)
def test_inputs_are_not_touched_and_results_are_one_s_own(given):
    frame, mask = locked(before(PERSON, textured(), checkers(HD))), MASK.copy()
    mask.flags.writeable = False
    copies = [plane.copy() for plane in (frame.y, frame.u, frame.v)]
    one = composer(**given)
    first = one.compose(frame, mask, 0.0)
    kept = [plane.copy() for plane in (first.y, first.u, first.v)]
    one.compose(plain(HD, 200), 1 - mask, 1 / 30)
    assert all(np.array_equal(a, b) for a, b in zip((frame.y, frame.u, frame.v), copies, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip((first.y, first.u, first.v), kept, strict=True))
    first.y[0, 0] ^= 1
    assert np.array_equal(mask, MASK)


def test_planes_with_a_stride_are_taken_as_they_are():
    wide = before(PERSON, textured(), checkers(HD))
    views = Frame(wide.y[:, :1000], wide.u[:, :500], wide.v[:, :500])
    whole = Frame(*(np.ascontiguousarray(plane) for plane in (views.y, views.u, views.v)))
    seen = [composer().compose(frame, MASK, 0.0) for frame in (views, whole)]
    assert np.array_equal(seen[0].y, seen[1].y)


@pytest.mark.parametrize("given", EFFECTS)
def test_sizes_may_be_odd_and_change_from_one_call_to_the_next(given):
    one = composer(**given, light_wrap=1.0, feather=1.0)
    sizes = [(720, 1280), (361, 641), (1, 1), (2, 7), (181, 319), (1281, 719), (720, 1280)]
    for n, size in enumerate(sizes):
        mask_size = [(144, 256), (9, 16), (1, 1)][n % 3]
        seen = one.compose(textured(size), seen_by_a_network(PERSON, mask_size), n / 30)
        assert seen.y.shape == size
        assert seen.u.shape == seen.v.shape == chroma_size(size)


def test_a_size_that_comes_back_gives_the_same_picture():
    frame = before(PERSON, textured(), checkers(HD))
    one = composer(smoothing=1.0)
    first = one.compose(frame, MASK, 0.0)
    one.compose(textured((360, 640)), 1 - seen_by_a_network(PERSON, (72, 128)), 1 / 30)
    again = one.compose(frame, MASK, 2 / 30)
    assert np.array_equal(first.y, again.y)


BAD_MASKS = {
    "NaN": np.where(MASK > 0.99, np.nan, MASK).astype(np.float32),
    "inf": np.full((144, 256), np.inf, np.float32),
    "logits": MASK * 8 - 4,
    "float64": MASK.astype(np.float64),
    "uint8": (MASK * 255).astype(np.uint8),
    "bool": MASK > 0.5,
    "three dimensions": MASK[..., None],
    "one dimension": MASK[0],
    "empty": MASK[:0],
    "a list": MASK.tolist(),
    "nothing": None,
}


@pytest.mark.parametrize("bad", BAD_MASKS)
def test_a_bad_mask_gives_no_picture(bad):
    one = composer()
    one.compose(textured(), MASK, 0.0)
    with pytest.raises(ValueError, match="a mask"):
        one.compose(textured(), BAD_MASKS[bad], 1 / 30)
    assert one.compose(textured(), MASK, 2 / 30).y.shape == HD


def test_a_bad_frame_or_time_gives_no_picture():
    frame = textured()
    with pytest.raises(ValueError, match="no I420"):
        composer().compose(Frame(frame.y, frame.u[1:], frame.v), MASK, 0.0)
    with pytest.raises(ValueError, match="rec2020"):
        composer().compose(Frame(frame.y, frame.u, frame.v, "rec2020"), MASK, 0.0)
    with pytest.raises(ValueError, match="nan"):
        composer().compose(frame, MASK, float("nan"))


def test_an_update_holds_from_the_next_picture_on():
    nobody = np.zeros((9, 16), np.float32)
    one = composer(background="#000000")
    assert (one.compose(plain(HD, 120), nobody, 0.0).y == 16).all()
    one.update(EffectOptions(background="#ffffff"))
    assert (one.compose(plain(HD, 120), nobody, 1 / 30).y == 235).all()
    one.update(EffectOptions(effect="blur"))
    assert (one.compose(plain(HD, 120), nobody, 2 / 30).y == 120).all()


def test_an_unknown_picture_is_refused_and_all_stays_as_it_was():
    with pytest.raises(ValueError, match="'beach'"):
        composer(background="beach")
    one = composer(background="#000000")
    with pytest.raises(ValueError, match="'beach'"):
        one.update(EffectOptions(background="beach"))
    assert (one.compose(plain(HD, 120), np.zeros((9, 16), np.float32), 0.0).y == 16).all()


def test_a_plugin_may_bring_its_own_pictures():
    own = {"party": np.full((9, 16, 3), 255, np.uint8)}
    asked = []

    def pictures(name: str) -> np.ndarray:
        asked.append(name)
        return own[name]

    one = Composer(EffectOptions(background="party"), pictures)
    assert (one.compose(plain(HD, 120), np.zeros((9, 16), np.float32), 0.0).y == 235).all()
    one.update(EffectOptions(background="party", feather=1, smoothing=0))
    assert asked == ["party"]  # what did not change is not made anew


def test_the_edge_stands_still_while_the_mask_flickers():
    rng = np.random.default_rng(0)
    frame = before(PERSON, plain(HD, 170), plain(HD, 60))
    soft = np.clip(MASK * 0.4 + 0.3, 0, 1)
    masks = [np.clip(soft + rng.normal(0, 0.1, MASK.shape), 0, 1).astype(np.float32) for _ in range(20)]
    flicker = []
    for smoothing in (0.0, 1.0):
        one = composer(background="#ffffff", smoothing=smoothing)
        seen = [one.compose(frame, mask, n / 30).y.astype(int) for n, mask in enumerate(masks)]
        flicker.append(np.abs(np.diff(seen[8:], axis=0)).mean())
    assert flicker[1] < 0.4 * flicker[0]


def test_someone_who_walks_is_followed():
    one = composer(background="#000000", smoothing=1.0)
    for n in range(12):
        person = outline(HD, shift=0.02 * n - 0.12)
        seen = one.compose(before(person, plain(HD, 200), plain(HD, 90)), seen_by_a_network(person), n / 30)
        assert (seen.y[outer(person, FAR_OUT)] == 16).all()
        assert (seen.y[inner(person, FAR_IN)] == 200).all()
