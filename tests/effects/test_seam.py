"""The seam: where the person ends in the picture, not in the mask; on drawn scenes and on real photos."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from effect_scenes import HD, before, checkers, inner, outer, outline, plain, seen_by_a_network
from PIL import Image

from vmeet_core.effects.planes import chroma_size, shrunk
from vmeet_core.effects.seam import Mask, SoftEdge, guided, narrowed
from vmeet_core.hookspecs import Frame

LOW, HIGH = 0.3, 0.7


def edge(mask: Mask, luma: np.ndarray, feather: float = 0.3) -> np.ndarray:
    return SoftEdge().alpha(mask, shrunk(luma, mask.shape), luma, feather).luma


@pytest.mark.parametrize("feather", [0.0, 0.3, 1.0])
def test_sure_is_sure(feather):
    person = outline(HD)
    alpha = edge(seen_by_a_network(person), before(person, checkers(HD, 11, 90, 250), checkers(HD)).y, feather)
    assert (alpha[inner(person, 48)] == 255).all()
    assert (alpha[outer(person, 36)] == 0).all()


def test_everybody_and_nobody_are_exact():
    room = checkers(HD).y
    for value in (0, 1):
        assert (edge(np.full((144, 256), value, np.float32), room) == 255 * value).all()


def test_faint_noise_of_the_mask_shows_nothing():
    noise = np.random.default_rng(0).uniform(0, 0.08, (144, 256)).astype(np.float32)
    assert (edge(noise, checkers(HD).y) == 0).all()
    assert (edge(1 - noise, checkers(HD).y) == 255).all()


@pytest.mark.parametrize("feather", [0.0, 0.5, 1.0])
def test_where_the_mask_doubts_the_room_is_hidden(feather):
    assert (edge(np.full((144, 256), 0.2, np.float32), checkers(HD).y, feather) == 0).all()


def test_where_luma_says_nothing_the_mask_is_believed():
    mask = seen_by_a_network(outline(HD))
    flat = plain(HD, 120).y
    upscaled = np.clip(np.round(255 * cv2.resize(mask, HD[::-1])), 0, 255)
    assert np.abs(guided(mask, shrunk(flat, mask.shape), flat).astype(int) - upscaled).max() <= 1


def test_a_misplaced_mask_is_drawn_to_the_edge():
    """The mask is one of its pixels, five of the picture's, too far to the right."""
    person = outline(HD)
    luma = before(person, plain(HD, 190), plain(HD, 60)).y
    mask = np.roll(seen_by_a_network(person), 1, axis=1)
    wrong = [np.abs(alpha / 255.0 - person).sum() for alpha in (edge(mask, luma, 0), 255 * cv2.resize(mask, HD[::-1]))]
    assert wrong[0] < 0.6 * wrong[1]


@pytest.mark.parametrize("feather", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("room", [60, 190])
def test_the_outline_stays_where_the_network_saw_it(feather, room):
    """However soft the edge: what is cut at one half has the same area, to a third of a pixel along the outline."""
    person = outline(HD)
    luma = before(person, plain(HD, 190), plain(HD, room)).y
    found = edge(seen_by_a_network(person), luma, feather) >= 128
    outline_px = (person - cv2.erode(person, np.ones((3, 3)), borderValue=1)).sum()
    assert abs(found.sum() - person.sum()) < outline_px / 3


def test_feather_widens_the_seam():
    person = outline(HD)
    luma, mask = before(person, plain(HD, 190), plain(HD, 60)).y, seen_by_a_network(person)
    alphas = [edge(mask, luma, feather) for feather in (0, 0.25, 0.5, 0.75, 1)]
    soft = [((alpha > 0) & (alpha < 255)).sum() for alpha in alphas]
    assert soft == sorted(soft)
    assert soft[-1] > 2 * soft[0]
    shown = [alpha[outer(person, 6)].mean() for alpha in alphas]
    assert max(shown) < 0.2


def test_narrowing_limits_the_band():
    ramp = np.arange(256, dtype=np.uint8)[None]
    narrow = narrowed(ramp, 0.25, 0.75)[0].astype(int)
    assert (narrow[:64] == 0).all()
    assert (narrow[192:] == 255).all()
    assert (np.diff(narrow[64:192]) > 0).all()
    assert np.array_equal(narrowed(ramp, 0, 1), ramp)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (145, 257), (721, 1279), (1281, 721)])
@pytest.mark.parametrize("mask_size", [(1, 1), (9, 16), (144, 256)])
def test_any_size_goes_with_any_other(size, mask_size):
    mask = seen_by_a_network(outline(HD), mask_size)
    luma = checkers(size).y
    alpha = SoftEdge().alpha(mask, shrunk(luma, mask_size), luma, 1.0)
    assert alpha.luma.shape == size
    assert alpha.chroma.shape == chroma_size(size)


@pytest.fixture(scope="module")
def portraits(shared_data: Path) -> list[tuple[np.ndarray, Mask]]:
    """Luma and outline of each photo, both (h, w)."""

    def read() -> Iterator[tuple[np.ndarray, Mask]]:
        for path in sorted((shared_data / "portraits").glob("*.jpg")):
            rgb = np.asarray(Image.open(path).convert("RGB"))
            person = np.asarray(Image.open(path.with_suffix(".png")).convert("L")) > 127
            yield Frame.from_rgb(rgb).y, person.astype(np.float32)

    found = list(read())
    assert len(found) >= 30
    return found


def misplaced(person: Mask, displacement_px: float, rng: np.random.Generator) -> Mask:
    """A mask 64 wide whose outline wanders as a network's does: a smooth random warp, in pixels of the mask."""
    size = max(1, 64 * person.shape[0] // person.shape[1]), 64
    small = cv2.resize(person, size[::-1], interpolation=cv2.INTER_AREA)
    x, y = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in size[::-1]))
    warps = [cv2.GaussianBlur(rng.standard_normal(size).astype(np.float32), (0, 0), 3) for _ in range(2)]
    dx, dy = (displacement_px * warp / warp.std() for warp in warps)
    warped = cv2.remap(small, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(cv2.GaussianBlur(warped, (0, 0), 1), 0, 1)


def errors(alpha: np.ndarray, person: Mask) -> tuple[float, float]:
    """Mean difference and share of wrong pixels near the true edge; alpha from 0 to 1."""
    window = np.ones((23, 23))
    near = (cv2.dilate(person, window) - cv2.erode(person, window)) > 0
    return float(np.abs(alpha - person)[near].mean()), float(((alpha > 0.5) != (person > 0.5))[near].mean())


@pytest.mark.parametrize("displacement_px", [1.0, 1.5])
def test_photos_have_a_better_edge_than_bilinear_upscaling_gives(portraits, displacement_px):
    rng, results = np.random.default_rng(0), []
    for luma, person in portraits:
        mask = misplaced(person, displacement_px, rng)
        upscaled = np.clip((cv2.resize(mask, luma.shape[::-1]) - LOW) / (HIGH - LOW), 0, 1)
        ours = guided(mask, shrunk(luma, mask.shape), luma, LOW, HIGH) / 255.0
        results.append((errors(ours, person), errors(upscaled, person)))
    ours, upscaled = np.array(results).transpose(1, 2, 0)
    assert (ours.mean(axis=1) < 0.9 * upscaled.mean(axis=1)).all()
    assert ((ours < upscaled).mean(axis=1) >= 0.85).all()
