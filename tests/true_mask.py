"""A plugin that knows the true masks of a folder: what is measured of it is known beforehand."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from pydantic import Field

from vmeet_core.evaluate.portraits import Scene, find_portraits, read_portrait, webcam_scene
from vmeet_core.hookspecs import Frame, FrameFilter, FrameFilterProvider, FrameStream, Host, Options, hookimpl
from vmeet_core.testing.fakes import Alpha, blended, colour_planes


class TrueMaskSettings(Options):
    folder: Path = Field(Path(), title="Folder", description="Holds NAME.jpg and NAME.png.")


class TrueMaskOptions(Options):
    background: str = Field("#00ff00", pattern="^#[0-9a-f]{6}$", title="Background", description="A colour.")
    soften_px: float = Field(0.0, ge=0, le=50, title="Soften", description="How far the mask is blurred.")
    grow_px: int = Field(0, ge=-15, le=15, title="Grow", description="By how much the mask is too large.")
    in_rgb: bool = Field(False, title="RGB", description="Blend in RGB rather than in the planes.")


class TrueMaskStream(FrameStream):
    def __init__(self, truths: dict[bytes, Scene], options: TrueMaskOptions) -> None:
        self._truths, self._options = truths, options

    def process(self, frame: Frame, pts_s: float) -> Frame:
        alpha = soft_mask(self._truths[frame.y.tobytes()], self._options)
        if not self._options.in_rgb:
            return blended(frame, alpha, self._options.background)
        colour = Frame(*colour_planes(self._options.background)).rgb()[0, 0]
        rgb = alpha[..., None] * frame.rgb() + (1 - alpha[..., None]) * colour
        return Frame.from_rgb((rgb + 0.5).astype(np.uint8))


def soft_mask(scene: Scene, options: TrueMaskOptions) -> Alpha:
    mask = Image.fromarray(scene.truth.astype(np.uint8) * 255)
    if options.grow_px:
        kind = ImageFilter.MaxFilter if options.grow_px > 0 else ImageFilter.MinFilter
        mask = mask.filter(kind(2 * abs(options.grow_px) + 1))
    mask = mask.filter(ImageFilter.GaussianBlur(options.soften_px))
    return np.asarray(mask, np.float32) / 255


class TrueMask(FrameFilter):
    def __init__(self, folder: Path) -> None:
        scenes = [read_portrait(portrait) for portrait in find_portraits(folder)]
        scenes += [webcam_scene(scene) for scene in scenes]
        self._truths = {scene.frame.y.tobytes(): scene for scene in scenes}

    def open(self, options: Any) -> FrameStream:
        return TrueMaskStream(self._truths, options)


class TrueMaskProvider(FrameFilterProvider):
    api = 1
    name, title, licence, version = "true-mask", "True mask", "Apache-2.0", "1"
    server_settings = TrueMaskSettings
    options = TrueMaskOptions

    def load(self, server_settings: TrueMaskSettings, host: Host) -> FrameFilter:
        return TrueMask(server_settings.folder)


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    return [TrueMaskProvider()]
