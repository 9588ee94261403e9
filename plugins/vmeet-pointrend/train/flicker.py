"""How much the mask changes from frame to frame where the picture does not, ours beside MediaPipe's.

With ``--shown`` also what others see, with each network in the same place of the filter: flicker as ``vmeet compare``
tells it, and by how many frames the mask follows what moves. That needs vmeet-core and vmeet-pointrend installed.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from evaluate import onnx_predict, settled_too, shape_for
from teachers import Selfie

Array = np.ndarray[Any, Any]
SIZE = (256, 144)  # masks and pictures are compared at
STILL = 4.0  # grey levels; more change than this nearby and the picture moved
SPACE = np.ones((9, 9), np.uint8)


def frames(path: Path, most: int) -> Iterator[Array]:
    video = cv2.VideoCapture(str(path))
    for _ in range(most):
        read, frame = video.read()
        if not read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def flicker(path: Path, mask_of: Callable[[Array], Array], most: int) -> dict[str, float]:
    """Mean change of the mask and the share of pixels that change sides, both over the still pixels only."""
    changes, flips, before = [], [], None
    for frame in frames(path, most):
        grey = cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32).mean(2)
        mask = cv2.resize(mask_of(frame), SIZE, interpolation=cv2.INTER_LINEAR)
        if before is not None:
            still = cv2.dilate(np.abs(grey - before[0]), SPACE) < STILL
            changes.append(float(np.abs(mask - before[1])[still].mean()) if still.any() else 0.0)
            flips.append(float(((mask > 0.5) != (before[1] > 0.5))[still].mean()) if still.any() else 0.0)
        before = (grey, mask)
    return {"change": round(float(np.mean(changes)), 5), "flips": round(float(np.mean(flips)), 5)}


def ours(model: Path, settled: bool) -> Callable[[Array], Array]:
    """The refined mask; or, with the plugin at hand, as it leaves the plugin's network."""
    predict = settled_too(onnx_predict(model)) if settled else onnx_predict(model)

    def mask_of(frame: Array) -> Array:
        height, width = shape_for(frame)
        image = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return predict(np.ascontiguousarray(image.transpose(2, 0, 1)))[-1]

    return mask_of


class Finder:
    """A network in the place of the plugin's own."""

    def __init__(self, mask_of: Callable[[Array], Array]) -> None:
        self._mask_of = mask_of

    def mask(self, frame: Any) -> Array:
        """Of a frame in I420 the mask at the networks' usual size, for the filter works at the size that it gets."""
        planes = np.concatenate([plane.ravel() for plane in (frame.y, frame.u, frame.v)])
        rgb = cv2.cvtColor(planes.reshape(-1, frame.y.shape[1]), cv2.COLOR_YUV2RGB_I420)
        return cv2.resize(self._mask_of(rgb), shape_for(rgb)[::-1], interpolation=cv2.INTER_AREA)


def shown(path: Path, mask_of: Callable[[Array], Array]) -> dict[str, float]:
    """``flicker`` and ``motion_lag`` of the whole filter with its usual options."""
    from vmeet_pointrend.engine import PointRendEngine

    from vmeet_core.effects.options import EffectOptions
    from vmeet_core.evaluate.clips import Clip, clip_scores

    scores = clip_scores(Clip(path.name, path), PointRendEngine(Finder(mask_of)), EffectOptions())
    return {f"shown_{name}": round(value, 6) for name, value in scores.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the ONNX file of export.py")
    parser.add_argument("--selfie", type=Path, nargs="*", default=[], help="MediaPipe's networks (.tflite)")
    parser.add_argument("--clips", type=Path, required=True, help="a folder of videos")
    parser.add_argument("--frames", type=int, default=100, help="of each clip, at most")
    parser.add_argument("--shown", action="store_true", help="also what others see of each network in the filter")
    arguments = parser.parse_args()
    masks = {"ours": ours(arguments.model, arguments.shown)} | {path.stem: Selfie(path) for path in arguments.selfie}
    clips = sorted(path for path in arguments.clips.iterdir() if path.suffix in (".mp4", ".webm", ".mkv", ".avi"))
    report: dict[str, dict[str, dict[str, float]]] = {clip.name: {} for clip in clips}
    for clip in clips:
        for name, mask_of in masks.items():
            report[clip.name][name] = flicker(clip, mask_of, arguments.frames)
            if arguments.shown:
                report[clip.name][name] |= shown(clip, mask_of)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
