"""How well a background filter finds people when light, camera and distance are bad: IoU and boundary F by condition.

    python benchmarks/masks_by_condition.py --data DIR [--plugin pointrend]

DIR holds NAME.jpg and NAME.png, as for `vmeet compare frame-filters`. Each photo is set into a webcam's frame and then
spoilt. What the true mask lights (back-lit) has an edge that is found too easily: only the dark face in it is hard.
One JSON object is the last line.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vmeet_core.effects.pictures import built_in
from vmeet_core.evaluate.mask_metrics import boundary_f, iou
from vmeet_core.evaluate.matting import still_alpha
from vmeet_core.evaluate.portraits import Rgb, Scene, find_portraits, read_portrait, webcam_scene
from vmeet_core.hookspecs import FrameFilter, Options
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import load_settings

Condition = Callable[[Scene], Scene]
Gains = NDArray[np.float64]


def lit(scene: Scene, gains: Gains | float, noise: float, seed: int = 0) -> Scene:
    """``gains`` (h, w, 1) or one for all on linear light, then a sensor's noise, in levels."""
    linear = (scene.rgb / 255) ** 2.2 * gains
    grain = np.random.default_rng(seed).normal(0, noise, scene.rgb.shape)
    return Scene(_bytes(255 * np.clip(linear, 0, 1) ** (1 / 2.2) + grain), scene.truth)


def dark(scene: Scene) -> Scene:
    """A twelfth of the light, and the noise of a camera that makes up for some of it."""
    return lit(scene, 1 / 12, 6)


def noisy(scene: Scene) -> Scene:
    return lit(scene, 1 / 3, 15)


def back_lit(scene: Scene) -> Scene:
    """A window behind: the person in a tenth of the light, the room in six times as much."""
    return lit(scene, np.where(scene.truth, 0.1, 6.0)[..., None], 3)


def side_lit(scene: Scene) -> Scene:
    """From a half to a fiftieth of the light, across the picture."""
    return lit(scene, np.linspace(1.5, 0.03, scene.rgb.shape[1])[None, :, None], 3)


def out_of_focus(scene: Scene) -> Scene:
    return Scene(np.asarray(Image.fromarray(scene.rgb).filter(ImageFilter.GaussianBlur(6))), scene.truth)


def in_motion(scene: Scene) -> Scene:
    """The person smeared over 40 pixels, the mask where the middle of it is."""
    steps = [np.roll(scene.rgb, shift, axis=1).astype(np.float32) for shift in range(-20, 21, 2)]
    inside = [np.roll(scene.truth, shift, axis=1)[..., None] for shift in range(-20, 21, 2)]
    mixed = [np.where(mask, moved, scene.rgb) for mask, moved in zip(inside, steps, strict=True)]
    return Scene(_bytes(np.mean(mixed, axis=0)), scene.truth)


def compressed(scene: Scene) -> Scene:
    """JPEG at quality 8: blocks."""
    file = io.BytesIO()
    Image.fromarray(scene.rgb).save(file, "JPEG", quality=8)
    return Scene(np.asarray(Image.open(file).convert("RGB")), scene.truth)


def farther(scene: Scene, share: float) -> Scene:
    """``share`` as large, at the bottom in the middle, before the picture's colours without its shapes."""
    height, width = scene.truth.shape
    size = round(width * share), round(height * share)
    place = (width - size[0]) // 2, height - size[1]
    canvas = Image.fromarray(scene.rgb).filter(ImageFilter.GaussianBlur(200))
    mask = Image.new("L", (width, height))
    canvas.paste(Image.fromarray(scene.rgb).resize(size), place)
    mask.paste(Image.fromarray(scene.truth.astype(np.uint8) * 255).resize(size), place)
    return Scene(np.asarray(canvas), np.asarray(mask) >= 128)


def grey(scene: Scene) -> Scene:
    return Scene(np.asarray(Image.fromarray(scene.rgb).convert("L").convert("RGB")), scene.truth)


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "as it is": lambda scene: scene,
        "dark": dark,
        "noisy": noisy,
        "back-lit": back_lit,
        "side-lit": side_lit,
        "out of focus": out_of_focus,
        "in motion": in_motion,
        "compressed": compressed,
        "grey": grey,
        "half as large": lambda scene: farther(scene, 0.5),
        "a quarter as large": lambda scene: farther(scene, 0.25),
    }
)


def _bytes(levels: NDArray[Any]) -> Rgb:
    rounded: Rgb = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    return rounded


def measured(engine: FrameFilter, options: Options, scenes: list[Scene]) -> dict[str, float]:
    rows = []
    for scene in scenes:
        mask = still_alpha(engine, options, scene.frame) >= 0.5
        rows.append((iou(mask, scene.truth), boundary_f(mask, scene.truth)))
    return dict(zip(("iou", "boundary_f"), np.mean(rows, axis=0).round(3).tolist(), strict=True))


def options_of(kind: type[Options]) -> Options:
    """Without light on the person, which would be taken for a part of the mask."""
    return kind.model_validate({"light_wrap": 0} if "light_wrap" in kind.model_fields else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--plugin", default="pointrend")
    given = parser.parse_args()
    settings, registry = load_settings(None, {}), discover()
    scenes = [webcam_scene(read_portrait(found)) for found in find_portraits(given.data)]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        options = options_of(registry.get("frame_filters", given.plugin).options)
        loaded = load_provider(settings, registry, "frame_filters", given.plugin, Path(folder), built_in)
        with closing(loaded) as engine:
            for name, condition in CONDITIONS.items():
                results[name] = measured(engine, options, [condition(scene) for scene in scenes])
                print(f"{name:20} {results[name]['iou']:6.3f} {results[name]['boundary_f']:6.3f}", flush=True)
    print(json.dumps({given.plugin: results, "n": len(scenes)}))


if __name__ == "__main__":
    main()
