"""From pictures to what others may see: the network's mask, and the effect behind the person."""

from collections.abc import Callable
from typing import Any, Protocol

import cv2

from vmeet_core.color import Plane
from vmeet_core.effects.compose import Composer
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.pictures import built_in
from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame, FrameFilter, FrameStream


class PersonFinder(Protocol):
    """Whatever tells people from their room; shared by all streams."""

    def mask(self, frame: Frame) -> Mask:
        """(any h, any w) float32, 0 is background and 1 is person; a new array."""


class PointRendEngine(FrameFilter):
    """One loaded network; ``pictures`` gives backgrounds by name, as ``Host.picture`` does."""

    def __init__(self, finder: PersonFinder, pictures: Callable[[str], Plane] = built_in) -> None:
        # One core for each worker is the plan; OpenCV would take them all.
        cv2.setNumThreads(1)
        self._finder = finder
        self._pictures = pictures

    def open(self, options: Any) -> "PointRendStream":
        """A stream with a memory of its own; ``options`` is an ``EffectOptions``."""
        return PointRendStream(self._finder, Composer(options, self._pictures))


class PointRendStream(FrameStream):
    """One person's picture."""

    def __init__(self, finder: PersonFinder, composer: Composer) -> None:
        self._finder = finder
        self._composer = composer

    def update(self, options: EffectOptions) -> None:
        """From the next picture on. Raises ValueError for an unknown background, and nothing changes."""
        self._composer.update(options)

    def process(self, frame: Frame, pts_s: float) -> Frame:
        """A new frame without the room. Raises ValueError for a frame that is no I420 picture, and shows nothing."""
        return self._composer.compose(frame, self._finder.mask(frame), pts_s)
