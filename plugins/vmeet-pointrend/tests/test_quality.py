"""The quality of the weights that are shipped, on photos and clips that they were not trained on."""

from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import pytest
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.network import Network

from vmeet_core.effects.options import EffectOptions
from vmeet_core.evaluate.clips import clip_scores, find_clips
from vmeet_core.evaluate.frame_filters import score
from vmeet_core.evaluate.mask_metrics import boundary_f, iou
from vmeet_core.evaluate.portraits import find_portraits, read_portrait

WITHOUT_LIGHT = EffectOptions(light_wrap=0)


@pytest.fixture(scope="module")
def scores(shared_data: Path, network: Network) -> dict[str, float]:
    """Means over all photos, as ``vmeet compare frame-filters`` has them."""
    engine = PointRendEngine(network)
    rows = [score(portrait, engine, WITHOUT_LIGHT) for portrait in find_portraits(shared_data / "portraits")]
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


@pytest.mark.parametrize(
    ("name", "least"),
    [("iou", 0.905), ("boundary_f", 0.755), ("iou_16x9", 0.905), ("boundary_f_16x9", 0.765)],
)
def test_photos_have_masks_as_good_as_the_model_card_says(scores: dict[str, float], name: str, least: float) -> None:
    assert scores[name] >= least


def test_the_refined_outline_is_better_than_the_coarse_one(shared_data: Path, network: Network) -> None:
    rows = []
    for portrait in find_portraits(shared_data / "portraits"):
        scene = read_portrait(portrait)
        grown = [cv2.resize(mask, scene.truth.shape[::-1]) >= 0.5 for mask in network.masks(scene.frame)]
        rows.append([(iou(mask, scene.truth), boundary_f(mask, scene.truth)) for mask in grown])
    coarse, refined = np.mean(rows, axis=0)
    assert (refined > coarse).all()


def test_the_mask_stands_still_where_nothing_moves_and_follows_what_does(shared_data: Path, network: Network) -> None:
    clips = find_clips(shared_data / "talking-heads")
    found = clip_scores(
        next(clip for clip in clips if clip.name.startswith("room")), PointRendEngine(network), WITHOUT_LIGHT
    )
    assert found["flicker"] < 0.001
    assert found["motion_lag"] < 0.5
