"""What a viewer of one picture sees and hears of a meeting: pure policy, no input or output."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from vmeet_core.protocol import PictureKind
from vmeet_core.sfu.source import Source

Layers = tuple[Source, ...]


class Publisher(Protocol):
    """What ``Attendee`` is to a viewer: what others may see and hear of somebody."""

    @property
    def sound(self) -> Source | None:
        """What others may hear."""

    def pictures(self, kind: PictureKind) -> Layers:
        """The layers of a picture, the smallest first."""


class Programme(NamedTuple):
    """``picture`` in its sizes, smallest first, () for none; ``sounds`` with the most important first."""

    picture: Layers
    sounds: list[Source]


def choose(people: Mapping[str, Publisher], order: Iterable[str], now_s: float) -> Programme:
    """A shared screen, or else the picture of the first in ``order`` who sends one; and everyone's sound in that order.

    ``order`` puts those who matter most first; who is not in it comes last. What is turned on but sends nothing (a
    page without a camera negotiates one all the same) comes after what does.
    """
    ranked = [people[key] for key in dict.fromkeys([*order, *people]) if key in people]
    screens = [each.pictures("screen") for each in ranked]
    cameras = [each.pictures("camera") for each in ranked]
    microphones = [sound for each in ranked if (sound := each.sound) is not None]
    picture = _flowing(screens, now_s) or _flowing(cameras, now_s) or _turned_on(cameras)
    sounds = [each for each in microphones if not each.muted]
    return Programme(picture, sorted(sounds, key=lambda each: not each.is_flowing(now_s)))


def _flowing(pictures: Sequence[Layers], now_s: float) -> Layers:
    return next((layers for layers in pictures if any(layer.is_flowing(now_s) for layer in layers)), ())


def _turned_on(pictures: Sequence[Layers]) -> Layers:
    return next((layers for layers in pictures if any(not layer.muted for layer in layers)), ())
