"""Upstream's PointRend in detectron2, for those who have built it: people's instance masks, joined.

Neither torch nor detectron2 is imported before ``load_detectron``.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vmeet_core.color import Plane, i420_to_rgb
from vmeet_core.effects.planes import LIMITED, Size
from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame, Permanent
from vmeet_pointrend.settings import PointRendSettings

PERSON = 0  #: among the classes of COCO
LONGEST_SIDE_PX = 640  #: of what detectron2 gets: its own configurations would scale up whatever is smaller
NEEDED = ("torch", "torchvision", "detectron2")
HOW_TO_BUILD = (
    "It is on no package registry; build it into this environment, with a C++ compiler: pip install torch torchvision, "
    "then pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2.git' "
    '(README.md of vmeet-pointrend). Or set backend = "onnx".'
)

Predictor = Callable[[Plane], Any]  # BGR (h, w, 3) uint8 to {"instances": detectron2.structures.Instances}


class DetectronFinder:
    """Shared by all streams; ``predict`` is detectron2's DefaultPredictor or behaves like it."""

    def __init__(self, predict: Predictor) -> None:
        self._predict = predict

    def mask(self, frame: Frame) -> Mask:
        """(h, w) float32: 1 in somebody's mask and 0 elsewhere, at most ``LONGEST_SIDE_PX`` wide or high."""
        rgb = i420_to_rgb((frame.y, frame.u, frame.v), limited_size(frame.y.shape), frame.color == LIMITED)
        found = self._predict(np.ascontiguousarray(rgb[..., ::-1]))["instances"].to("cpu")
        return joined(found.pred_masks.numpy(), found.pred_classes.numpy(), rgb.shape[:2])


def limited_size(size: Size) -> Size:
    """(height, width), scaled down where a side is longer than ``LONGEST_SIDE_PX``."""
    scale = min(1.0, LONGEST_SIDE_PX / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def joined(masks: NDArray[Any], classes: NDArray[Any], size: Size) -> Mask:
    """The union of all people's ``masks`` (n, h, w), whose ``classes`` (n,) are COCO's; float32 of ``size``."""
    people = masks[classes == PERSON].astype(bool)
    union: Mask = people.any(axis=0).astype(np.float32) if len(people) else np.zeros(size, np.float32)
    return union


def load_detectron(settings: PointRendSettings, device: str) -> DetectronFinder:
    """Read the checkpoint; slow. Raises Permanent when a package or a file is absent, saying which and what to do."""
    check_packages()
    config, checkpoint = (existing(path) for path in (settings.config, settings.checkpoint))
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor
    from detectron2.projects import point_rend

    cfg = get_cfg()
    point_rend.add_pointrend_config(cfg)
    cfg.merge_from_file(str(config))
    cfg.MODEL.WEIGHTS = str(checkpoint)
    cfg.MODEL.DEVICE = device
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = settings.least_score
    cfg.freeze()
    return DetectronFinder(DefaultPredictor(cfg))


def check_packages() -> None:
    """Raises Permanent naming what is not installed, and how to build it."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not absent and importlib.util.find_spec("detectron2.projects.point_rend") is None:
        absent = ["detectron2.projects.point_rend"]
    if absent:
        raise Permanent(f"the backend detectron2 wants {', '.join(absent)}, not installed here. {HOW_TO_BUILD}")


def existing(path: Path | None) -> Path:
    """``path``. Raises Permanent where there is no such file."""
    if path is None or not path.is_file():
        raise Permanent(f"the backend detectron2 wants the file {path}, which is not there")
    return path
