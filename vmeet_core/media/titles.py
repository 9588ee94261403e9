"""Names drawn for pictures: the label in a tile, and the card that stands for a person without a picture.

Drawn with Pillow in a font that has Chinese, Japanese and Korean where the system has one, once per name and size.
"""

import unicodedata
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vmeet_core.color import rgb_to_i420
from vmeet_core.media.frames import Planes
from vmeet_core.media.layout import Patch

CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "C:/Windows/Fonts/msjh.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
LATIN_FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",)
_NOTO_CJK_TRADITIONAL = 3  # the face in Noto's collection with the shapes used in Taiwan
_PLATE_ALPHA = 150  # of 255
_CARD = (46, 49, 58)  # RGB
_DISCS = ((52, 120, 180), (46, 134, 110), (150, 96, 52), (128, 84, 160), (168, 70, 92), (96, 112, 52))

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Titles:
    """Draws, and keeps what was drawn, for one set of people. ``fonts`` are tried in order; else Pillow's own."""

    def __init__(self, fonts: Iterable[str] = CJK_FONTS + LATIN_FONTS) -> None:
        self._file = next((font for font in fonts if Path(font).is_file()), None)
        self.has_cjk = self._file in CJK_FONTS
        self._font: Callable[[int], Font] = cache(self._load)
        self.label: Callable[[str, int, int], Patch] = cache(self._label)
        self.card: Callable[[str, int, int], Planes] = cache(self._card)
        self.label.__doc__ = "The name on a dark plate, for a picture of (name, width, height)."
        self.card.__doc__ = "A tile of (name, width, height) with the initial on a disc."

    def _load(self, size_px: int) -> Font:
        if self._file is None:
            return ImageFont.load_default(size_px)
        index = _NOTO_CJK_TRADITIONAL if "NotoSansCJK" in self._file else 0
        return ImageFont.truetype(self._file, size_px, index=index)

    def _label(self, name: str, width: int, height: int) -> Patch:
        size_px = min(28, max(12, height // 18))
        font, pad = self._font(size_px), size_px // 2
        text = _shortened(name, font, max(1, width - 4 * pad))
        plate_width = _even_up(min(width, round(font.getlength(text)) + 2 * pad))
        image = Image.new("RGBA", (plate_width, _even_up(size_px * 1.6)), (0, 0, 0, _PLATE_ALPHA))
        draw = ImageDraw.Draw(image)
        draw.text((pad, image.height / 2), text, (255, 255, 255, 255), font, anchor=_anchor(font, "lm"))
        return _patch(image)

    def _card(self, name: str, width: int, height: int) -> Planes:
        image = Image.new("RGB", (width, height), _CARD)
        draw = ImageDraw.Draw(image)
        radius = max(1, min(width, height) // 4)
        centre = (width / 2, height / 2)
        box = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
        draw.ellipse(box, _DISCS[zlib.crc32(name.encode()) % len(_DISCS)])
        font = self._font(max(8, radius))
        draw.text(centre, initial(name), (255, 255, 255), font, anchor=_anchor(font, "mm"))
        return rgb_to_i420(np.asarray(image))


def initial(name: str) -> str:
    """What stands for a name: its first character, with the marks that belong to it, in upper case."""
    first = name.strip()[:1].upper()
    marks = ""
    for character in name.strip()[1:]:
        if not unicodedata.combining(character):
            break
        marks += character
    return (first or "?") + marks


def _anchor(font: Font, anchor: str) -> str | None:
    return anchor if isinstance(font, ImageFont.FreeTypeFont) else None


def _shortened(text: str, font: Font, width: float) -> str:
    """The text, cut with an ellipsis to fit."""
    if font.getlength(text) <= width:
        return text
    fits = [n for n in range(len(text)) if font.getlength(text[:n].rstrip() + "…") <= width]
    return text[: fits[-1]].rstrip() + "…" if fits else "…"


def _patch(image: Image.Image) -> Patch:
    rgba = np.asarray(image)
    alpha = rgba[..., 3].astype(np.uint16)
    alpha += alpha >> 7  # 255 is all of it: 256
    half = (alpha[::2, ::2] + alpha[1::2, ::2] + alpha[::2, 1::2] + alpha[1::2, 1::2]) // 4
    return Patch(rgb_to_i420(rgba[..., :3]), alpha, half)


def _even_up(value: float) -> int:
    return -(-int(value) // 2) * 2
