"""Masks told from outside, against those that the filter used."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import Field, model_validator

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.matting import (
    SETTLE_FRAMES,
    moving_alphas,
    over_both,
    rendered,
    replaces_background,
    still_alpha,
)
from vmeet_core.hookspecs import Engine, Frame, FrameStream, Options
from vmeet_core.testing import ChromaKeyProvider, local_host, noise_picture, person_picture
from vmeet_core.testing.fakes import Alpha, ChromaKeyOptions, blended, chroma_key_alpha, colour_planes

IN_PLANES = 2 / 255  # luma is rounded once for each of two pictures: 1 / 219 at most
IN_RGB = 3 / 255  # three channels are rounded besides
Change = Callable[[Frame], Any]


class Blend(Options):
    background: str = Field("#000000", title="B", description="B", pattern="^#[0-9a-f]{6}$")


class Filter(Engine[FrameStream]):
    """Blends with ``alpha`` and does to the result what ``change`` says."""

    def __init__(self, alpha: Alpha, change: Change = lambda frame: frame, in_rgb: bool = False) -> None:
        self.alpha, self.change, self.in_rgb = alpha, change, in_rgb
        self.open_streams, self.calls = 0, 0

    def open(self, options: Any) -> FrameStream:
        outer = self
        outer.open_streams += 1

        class Stream(FrameStream):
            def process(self, frame: Frame, pts_s: float) -> Frame:
                outer.calls += 1
                return outer.change(outer.blend(frame, options.background))

            def close(self) -> None:
                outer.open_streams -= 1

        return Stream()

    def blend(self, frame: Frame, colour: str) -> Frame:
        if not self.in_rgb:
            return blended(frame, self.alpha, colour)
        flat = Frame(*colour_planes(colour)).rgb()[0, 0]
        share = self.alpha[..., None]
        return Frame.from_rgb((share * frame.rgb() + (1 - share) * flat + 0.5).astype(np.uint8))


def soft_alpha(height: int, width: int) -> Alpha:
    """Every value from 0 to 1, smooth and rough."""
    ramp = np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, axis=0)
    ramp[height // 2 :] = np.random.default_rng(3).random((height - height // 2, width), np.float32)
    return ramp


@pytest.mark.parametrize("size", [(120, 160), (91, 133)])
@pytest.mark.parametrize(("in_rgb", "tolerance"), [(False, IN_PLANES), (True, IN_RGB)])
def test_a_soft_mask_is_recovered(size: tuple[int, int], in_rgb: bool, tolerance: float) -> None:
    alpha = soft_alpha(*size)
    for picture in (person_picture(*size), noise_picture(*size)):
        found = still_alpha(Filter(alpha, in_rgb=in_rgb), Blend(), picture)
        assert found.dtype == np.float32
        assert np.max(np.abs(found - alpha)) <= tolerance


def test_what_is_wholly_kept_or_replaced_is_recovered_exactly() -> None:
    alpha = (soft_alpha(60, 80) > 0.5).astype(np.float32)
    np.testing.assert_array_equal(still_alpha(Filter(alpha), Blend(), person_picture(60, 80)), alpha)


def test_full_range_has_more_levels() -> None:
    alpha = soft_alpha(60, 80)

    def stretched(frame: Frame) -> Frame:
        y = np.round((frame.y.astype(np.float32) - 16) * 255 / 219).clip(0, 255).astype(np.uint8)
        return Frame(y, frame.u, frame.v, "bt601-full")

    picture = person_picture(60, 80, color="bt601-full")
    assert np.max(np.abs(still_alpha(Filter(alpha, stretched), Blend(), picture) - alpha)) <= IN_RGB


def test_the_chroma_key_shows_just_the_mask_that_it_uses() -> None:
    rgb = np.zeros((90, 120, 3), np.uint8)
    rgb[:] = np.linspace([0, 177, 64], [230, 180, 160], 120)[None]  # from the key colour to skin
    frame, options = Frame.from_rgb(rgb), ChromaKeyOptions()
    truth = chroma_key_alpha(frame, options)
    assert {0.0, 1.0} < set(np.unique(truth).tolist())
    found = still_alpha(ChromaKeyProvider().load(None, local_host()), options, frame)
    assert np.max(np.abs(found - truth)) <= IN_PLANES


def test_a_filter_with_a_memory_may_settle() -> None:
    engine = Filter(soft_alpha(60, 80))
    calls = iter(range(1000))

    def fades(frame: Frame) -> Frame:  # the first pictures of each stream are black, as of a filter that fades in
        return frame if next(calls) % SETTLE_FRAMES == SETTLE_FRAMES - 1 else Frame(frame.y * 0, frame.u, frame.v)

    engine.change = fades
    assert np.max(np.abs(still_alpha(engine, Blend(), person_picture(60, 80)) - engine.alpha)) <= IN_PLANES
    assert (engine.calls, engine.open_streams) == (2 * SETTLE_FRAMES, 0)


def test_a_buffer_that_is_used_again_does_no_harm() -> None:
    buffer = np.zeros((60, 80), np.uint8)

    def reuse(frame: Frame) -> Frame:
        buffer[:] = frame.y
        return Frame(buffer, frame.u, frame.v)

    alpha = soft_alpha(60, 80)
    assert np.max(np.abs(still_alpha(Filter(alpha, reuse), Blend(), person_picture(60, 80)) - alpha)) <= IN_PLANES
    film = [(person_picture(60, 80, number), number / 30) for number in range(3)]
    for _, found in moving_alphas(Filter(alpha, reuse), Blend(), film):
        assert np.max(np.abs(found - alpha)) <= IN_PLANES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: None, "returned NoneType, not a Frame"),
        (lambda frame: Frame(frame.y[1:], frame.u, frame.v), r"gave plane y \(59, 80\) uint8 for \(60, 80\) uint8"),
        (lambda frame: Frame(frame.y, frame.u.repeat(2, 0), frame.v), r"plane u \(60, 40\) uint8 for \(30, 40\)"),
        (lambda frame: Frame(frame.y.astype(np.float32), frame.u, frame.v), r"plane y \(60, 80\) float32"),
        (lambda frame: Frame(None, frame.u, frame.v), "plane y NoneType"),
        (lambda frame: Frame(frame.y, frame.u, frame.v, "bt601-full"), "gave bt601-full for bt601-limited"),
    ],
)
def test_what_is_no_picture_of_the_same_kind_is_told(change: Change, message: str) -> None:
    engine = Filter(soft_alpha(60, 80), change)
    with pytest.raises(CompareError, match=message):
        rendered(engine, Blend(), person_picture(60, 80))
    assert engine.open_streams == 0


def test_what_a_filter_raises_closes_its_streams() -> None:
    engine = Filter(soft_alpha(60, 80), lambda frame: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(moving_alphas(engine, Blend(), [(person_picture(60, 80), 0.0)]))
    assert engine.open_streams == 0


def test_a_background_that_takes_no_colour_is_told() -> None:
    class Pictures(Options):
        background: str = Field("beach", pattern="^(beach|office)$")

    with pytest.raises(CompareError, match='its option background refuses the colour "#000000"'):
        still_alpha(Filter(soft_alpha(60, 80)), Pictures(), person_picture(60, 80))


def test_a_background_alone_may_choose_what_goes_with_it() -> None:
    class Effect(Blend):
        effect: str = "blur"
        feather: float = 0.3

        @model_validator(mode="before")
        @classmethod
        def _alone(cls, given: Any) -> Any:
            return {"effect": "replace", **given} if "background" in given else given

    black, white = over_both(Effect())
    assert (black.effect, black.background, white.background) == ("replace", "#000000", "#ffffff")
    kept, _ = over_both(Effect(feather=0.0))
    assert (kept.effect, kept.feather) == ("replace", 0)


def test_only_who_offers_a_background_replaces_it() -> None:
    assert replaces_background(Blend())
    assert not replaces_background(Options())
