"""A plugin for tests: the filter ``room`` keeps a box in the middle of the picture and paints over the rest.

It has the options of every person-mask plugin and needs no model; asked to, it breaks. ``install`` puts it where a
server finds it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import Frame, FrameFilter, FrameFilterProvider, FrameStream, hookimpl

GREY = (126, 128, 128)  #: what a blurred room looks like here


class RoomOptions(EffectOptions):
    breaks: bool = Field(False, title="Break", description="Fail at the next picture.")


class RoomStream(FrameStream):
    def __init__(self, options: RoomOptions) -> None:
        self.options = options

    def update(self, options: RoomOptions) -> None:
        self.options = options

    def process(self, frame: Frame, pts_s: float) -> Frame:
        if self.options.breaks:
            raise RuntimeError("it was asked to break")
        planes = []
        for plane, value in zip((frame.y, frame.u, frame.v), self._colour(), strict=True):
            painted = np.full_like(plane, value)
            height, width = plane.shape
            box = slice(height // 4, height * 3 // 4), slice(width // 3, width * 2 // 3)
            painted[box] = plane[box]
            planes.append(painted)
        return Frame(planes[0], planes[1], planes[2], frame.color)

    def _colour(self) -> tuple[int, int, int]:
        """YUV of the colour; of a picture there is none here."""
        background = self.options.background
        if self.options.effect == "blur" or not background.startswith("#"):
            return GREY
        red, green, blue = (int(background[at : at + 2], 16) for at in (1, 3, 5))
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        chroma = 128 + (blue - luma) * 0.493, 128 + (red - luma) * 0.877
        return round(16 + luma * 219 / 255), round(chroma[0]), round(chroma[1])


class Room(FrameFilter):
    def open(self, options: Any) -> RoomStream:
        return RoomStream(options)


class RoomProvider(FrameFilterProvider):
    api, name, title, licence, version, options = 1, "room", "Room", "Apache-2.0", "1", RoomOptions
    protects_privacy = True

    def load(self, server_settings: Any, host: Any) -> Room:
        return Room()


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    return [RoomProvider()]


def install(folder: Path) -> None:
    """A package in ``folder``, which is to be in PYTHONPATH."""
    (folder / "room_filter.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    about = folder / "room_filter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: room-filter\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[vmeet]\nroom = room_filter\n", encoding="utf-8")
