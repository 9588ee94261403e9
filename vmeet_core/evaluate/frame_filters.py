"""The bake-off of frame filters: the masks of those that replace backgrounds, and the time that any of them takes."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from vmeet_core.evaluate.clips import Clip, check_clip, clip_scores, find_clips
from vmeet_core.evaluate.comparison import CompareError, Evaluator, Exhibition, Metric, Picture, Row, Scores
from vmeet_core.evaluate.mask_metrics import Mask, boundary_f, iou
from vmeet_core.evaluate.matting import (
    BACKGROUND,
    Alpha,
    alpha_between,
    over_both,
    rendered,
    replaces_background,
    still_alpha,
)
from vmeet_core.evaluate.portraits import Portrait, Rgb, Scene, find_portraits, jpeg, read_portrait, webcam_scene
from vmeet_core.hookspecs import FrameFilter, Options

PICTURE_PX = 320  # the longer side of the report's pictures
_SHOWN, _CUT = (230, 60, 40), (40, 110, 230)  # background that is shown, person that is cut off

METRICS = (
    Metric("iou", "IoU", "交並比", "0–1", 1, 3, "how much of mask and person agree", "遮罩與人物重疊的程度"),
    Metric(
        "boundary_f",
        "Bound F",
        "輪廓 F",
        "0–1",
        1,
        3,
        "how much of the outlines lies within 0.8 % of the diagonal of one another (Martin et al., 2004)",
        "兩條輪廓彼此相距在對角線 0.8 % 以內的部分",
    ),
    Metric(
        "iou_16x9",
        "IoU 16:9",
        "寬幅交並比",
        "0–1",
        1,
        3,
        "the same as Bound F, the photo in a webcam's frame",
        "與輪廓 F 相同,照片置於視訊畫面中",
    ),
    Metric(
        "boundary_f_16x9",
        "Bound F 16:9",
        "寬幅輪廓 F",
        "0–1",
        1,
        3,
        "the same as Bound F, the photo in a webcam's frame",
        "與輪廓 F 相同,照片置於視訊畫面中",
    ),
    Metric(
        "flicker",
        "Flicker",
        "閃爍",
        "0–1",
        -1,
        4,
        "change of the mask from frame to frame where the film stands still",
        "影片靜止處遮罩逐格的變化",
    ),
    Metric(
        "motion_lag",
        "Lag",
        "延遲",
        "frames",
        -1,
        2,
        "by how many frames the mask follows what moves, up to 4",
        "遮罩落後移動之處幾格,至多 4",
    ),
    Metric(
        "ms_per_frame",
        "ms/frame",
        "每格毫秒",
        "ms",
        -1,
        1,
        "time of one call with a picture of 1280x720",
        "處理一格 1280x720 所需時間",
    ),
)


def find_items(folder: Path) -> list[Portrait | Clip]:
    """The portraits and then the clips of ``folder``, each looked at.

    Raises CompareError: no folder, nothing in it, one half of a pair is missing, a mask of another size than its photo,
    a file that cannot be read.
    """
    if not folder.is_dir():
        raise CompareError(f"{folder} is no folder: --data names one that holds NAME.jpg and NAME.png")
    portraits, clips = find_portraits(folder), find_clips(folder)
    if not portraits and not clips:
        raise CompareError(f"{folder} has no pictures: put NAME.jpg and NAME.png (the person's mask) there, or clips")
    for portrait in portraits:
        read_portrait(portrait)
    for clip in clips:
        check_clip(clip)
    return [*portraits, *clips]


def score(item: Portrait | Clip, engine: FrameFilter, options: Options) -> Scores:
    """The scores of one filter on one picture or clip; of one that replaces no background, its time."""
    if isinstance(item, Clip):
        return clip_scores(item, engine, options) if replaces_background(options) else {}
    scene = read_portrait(item)
    webcam = webcam_scene(scene)
    if not replaces_background(options):
        return {"ms_per_frame": 1000 * median(rendered(engine, options, webcam.frame).seconds)}
    found = _quality(still_alpha(engine, options, scene.frame), scene.truth)
    black, white = (rendered(engine, each, webcam.frame) for each in over_both(options))
    framed = _quality(alpha_between(black.frame, white.frame), webcam.truth)
    return {
        **found,
        **{f"{name}_16x9": value for name, value in framed.items()},
        "ms_per_frame": 1000 * median(black.seconds),
    }


def _quality(alpha: Alpha, truth: Mask) -> dict[str, float]:
    mask = alpha >= 0.5
    return {"iou": iou(mask, truth), "boundary_f": boundary_f(mask, truth)}


def reservation(options: Any, rows: Sequence[Row]) -> str | None:
    """Why there are no masks of a filter, or none to be believed."""
    if not replaces_background(options):
        return f'no masks, only its time: it has no option "{BACKGROUND}", by which a mask is told from outside'
    outlines = [row.scores[name] for row in rows for name in ("boundary_f", "boundary_f_16x9") if name in row.scores]
    if outlines and not any(outlines):
        return (
            f'no outline on any picture: either it finds nobody, or its option "{BACKGROUND}" does nothing by itself '
            "(set without the others, it must replace the background)"
        )
    return None


def pictures(item: Portrait, engine: FrameFilter, options: Options) -> Sequence[Picture]:
    """The photo, the mask that was recovered, the true one, and where they differ."""
    scene = read_portrait(item)
    alpha = still_alpha(engine, options, scene.frame)
    shown = (
        ("Photo", "照片", scene.rgb),
        ("Recovered mask", "測得的遮罩", _grey(alpha)),
        ("True mask", "正確的遮罩", _grey(scene.truth.astype(np.float32))),
        ("Errors", "誤差", error_map(scene, alpha)),
    )
    return [Picture(title, title_zh, jpeg(rgb, PICTURE_PX)) for title, title_zh, rgb in shown]


def error_map(scene: Scene, alpha: Alpha) -> Rgb:
    """The photo, pale; red where background is shown, blue where the person is cut off, the more the stronger."""
    pale = np.repeat(scene.rgb.mean(axis=2, keepdims=True) * 0.3 + 178, 3, axis=2)
    wrong = np.abs(alpha - scene.truth)[..., None]
    colour = np.where(scene.truth[..., None], _CUT, _SHOWN)
    mixed: Rgb = (pale * (1 - wrong) + colour * wrong).round().astype(np.uint8)
    return mixed


def _grey(alpha: Alpha) -> Rgb:
    return np.repeat((alpha * 255).round().astype(np.uint8)[..., None], 3, axis=2)


EVALUATOR = Evaluator(
    kind="frame_filters",
    title="Frame filters",
    title_zh="畫面濾鏡",
    metrics=METRICS,
    baseline=None,
    items=find_items,
    score_baseline=None,
    score=score,
    exhibition=Exhibition(
        "iou",
        pictures,
        "Errors: red where background is shown, blue where the person is cut off.",
        "誤差:紅色為露出的背景,藍色為被切掉的人物。",
    ),
    reservation=reservation,
)
