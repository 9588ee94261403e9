"""The card that is shown in place of a person's picture: encoded beforehand, so that it needs no worker."""

from collections.abc import Sequence
from typing import NamedTuple

from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.media.frames import video_frame
from vmeet_core.media.titles import Titles

BITRATE_BPS = 500_000


class Card(NamedTuple):
    """A VP8 keyframe with a person's initial on it, in each size: (data, height_px)."""

    pictures: tuple[tuple[bytes, int], ...]


def make_card(name: str, heights_px: Sequence[int], titles: Titles | None = None) -> Card:
    """Draw and encode; takes some 10 ms a size, so do it in a thread. Widths are those of 16:9."""
    drawn = titles or Titles()
    pictures = []
    for height_px in heights_px:
        planes = drawn.card(name, height_px * 16 // 9 // 2 * 2, height_px)
        encoded = Vp8Encoder(BITRATE_BPS).encode(video_frame(planes), 0)
        if encoded is None:  # the first picture is never left out
            raise RuntimeError("the card could not be encoded")
        pictures.append((encoded.data, height_px))
    return Card(tuple(pictures))
