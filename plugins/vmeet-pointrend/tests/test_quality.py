"""The quality of the weights that are shipped, on photos and clips that they were not trained on."""

import math
from pathlib import Path
from statistics import fmean

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.network import Network

from vmeet_core.effects.options import EffectOptions
from vmeet_core.evaluate.clips import clip_scores, find_clips
from vmeet_core.evaluate.frame_filters import score
from vmeet_core.evaluate.mask_metrics import BOUNDARY_TOLERANCE, boundary, grown, iou
from vmeet_core.evaluate.portraits import find_portraits, read_portrait, webcam_scene

WITHOUT_LIGHT = EffectOptions(light_wrap=0)


@pytest.fixture(scope="module")
def scores(shared_data: Path, network: Network) -> dict[str, float]:
    """Means over all photos, as ``vmeet compare frame-filters`` has them."""
    engine = PointRendEngine(network)
    rows = [score(portrait, engine, WITHOUT_LIGHT) for portrait in find_portraits(shared_data / "portraits")]
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


@pytest.mark.parametrize(
    ("name", "least"),
    [("iou", 0.945), ("boundary_f", 0.82), ("iou_16x9", 0.939), ("boundary_f_16x9", 0.832)],
)
def test_photos_have_masks_as_good_as_the_model_card_says(scores: dict[str, float], name: str, least: float) -> None:
    assert scores[name] >= least


def close_boundary_f(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """The boundary F-score within half of the usual distance: what the refinement is for."""
    radius_px = math.ceil(BOUNDARY_TOLERANCE / 2 * math.hypot(*mask.shape))
    ours, theirs = boundary(mask), boundary(truth)
    precision = np.count_nonzero(ours & grown(theirs, radius_px)) / np.count_nonzero(ours)
    recall = np.count_nonzero(theirs & grown(ours, radius_px)) / np.count_nonzero(theirs)
    return 2 * precision * recall / (precision + recall)


def test_the_refined_outline_is_better_than_the_coarse_one(shared_data: Path, network: Network) -> None:
    rows = []
    photos = [read_portrait(portrait) for portrait in find_portraits(shared_data / "portraits")]
    for scene in (*photos, *map(webcam_scene, photos)):
        masks = [cv2.resize(mask, scene.truth.shape[::-1]) >= 0.5 for mask in network.masks(scene.frame)]
        rows.append([(iou(mask, scene.truth), close_boundary_f(mask, scene.truth)) for mask in masks])
    coarse, refined = np.mean(rows, axis=0)
    assert (refined - coarse > (0.001, 0.01)).all()


def test_the_mask_stands_still_where_nothing_moves(shared_data: Path, network: Network) -> None:
    clips = find_clips(shared_data / "talking-heads")
    found = [clip_scores(clip, PointRendEngine(network), WITHOUT_LIGHT) for clip in clips]
    assert fmean(each["flicker"] for each in found) < 0.0005


def test_the_mask_follows_somebody_who_moves(shared_data: Path, network: Network, tmp_path: Path) -> None:
    portrait = find_portraits(shared_data / "portraits")[0]
    pan(webcam_scene(read_portrait(portrait)).rgb, tmp_path / "pan.mkv")
    found = clip_scores(find_clips(tmp_path)[0], PointRendEngine(network), WITHOUT_LIGHT)
    assert found["motion_lag"] < 0.5


def pan(picture: NDArray[np.uint8], path: Path, step_px: int = 6, count: int = 45) -> None:
    """A film without loss: the same picture, farther left each time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, -step_px * number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
