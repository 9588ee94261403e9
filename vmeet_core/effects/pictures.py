"""Pictures to put behind a person: a few of our own, drawn when they are asked for, and those that people upload.

Needs numpy and Pillow only.
"""

import io
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from vmeet_core.color import Plane

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 10 * 2**20
MOST_PIXELS = 40_000_000
LARGEST_SIDE_PX = 1920  #: larger pictures are kept smaller: a camera's is no larger
JPEG_QUALITY = 90  #: of uploads as they are kept, and of what pages are shown
WIDTH_PX, HEIGHT_PX = 1280, 720  #: of the pictures drawn here

Rgb = tuple[int, int, int]
Field = NDArray[np.float32]

_BOOKS: tuple[Rgb, ...] = (
    (133, 68, 56), (61, 84, 98), (190, 155, 105), (84, 98, 73), (214, 202, 180), (104, 73, 92), (46, 56, 70),
    (172, 104, 66), (228, 220, 205), (96, 120, 122),
)  # fmt: skip


class UnknownType(ValueError):
    """What somebody uploads is no picture of the types that are read."""


def built_in(name: str) -> Plane:
    """A picture of our own, (720, 1280, 3) uint8, read-only. Raises ValueError for another name."""
    if name not in BUILT_IN:
        raise ValueError(f"no picture is called {name!r}; there are {', '.join(BUILT_IN)}")
    return _drawn(name)


@cache
def _drawn(name: str) -> Plane:
    picture = BUILT_IN[name]()
    picture.flags.writeable = False
    return picture


def decode_picture(data: bytes, most_bytes: int = MOST_BYTES, most_pixels: int = MOST_PIXELS) -> Plane:
    """An upload as (height, width, 3) uint8, upright, no side longer than ``LARGEST_SIDE_PX``.

    JPEG, PNG or WebP, told by the content; of a moving picture the first one. Both limits are looked at before
    anything is decoded. Raises UnknownType for other types, and ValueError, naming the limit, for whatever else is
    wrong with it, also for half a file.
    """
    if len(data) > most_bytes:
        raise ValueError(f"the picture has {len(data)} bytes; the limit is {most_bytes}")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels <= most_pixels:
                return _rgb(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"the picture is too large; the limit is {most_pixels} pixels") from error
    except UnidentifiedImageError as error:
        raise UnknownType(f"this is no picture of the types {', '.join(FORMATS)}") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise what they like on damaged files
        raise ValueError(f"the picture is damaged or incomplete: {error}") from error
    raise ValueError(f"the picture has {pixels} pixels; the limit is {most_pixels}")


def encoded_jpeg(rgb: Plane) -> bytes:
    """(height, width, 3) uint8 as a JPEG that holds nothing but the picture: no place, no camera, no date."""
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=JPEG_QUALITY)
    return data.getvalue()


def smaller_jpeg(data: bytes, width_px: int) -> bytes:
    """A JPEG of our own, no wider than ``width_px``; the same bytes where it is not wider anyway."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if image.width <= width_px:
            return data
        size = width_px, max(1, round(image.height * width_px / image.width))
        image.draft("RGB", size)
        return encoded_jpeg(np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), np.uint8))


def _rgb(image: Image.Image) -> Plane:
    image.draft("RGB", (LARGEST_SIDE_PX, LARGEST_SIDE_PX))
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off rather than scale
        upright = Image.fromarray((np.asarray(upright).astype(np.uint32) >> 8).astype(np.uint8))
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, (128, 128, 128, 255)), clear)
    upright = upright.convert("RGB")
    upright.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
    return np.array(upright, np.uint8)


def _dawn() -> Plane:
    """Hills in the mist before sunrise."""
    sky = _gradient([(0, (92, 116, 150)), (0.45, (196, 176, 178)), (0.62, (244, 206, 170)), (1, (250, 226, 196))])
    rng = np.random.default_rng(5)
    for layer, colour in enumerate([(168, 156, 168), (122, 124, 146), (84, 96, 120), (54, 70, 92)]):
        _hill(sky, 0.52 + 0.12 * layer + 0.035 * _waves(rng), colour, mist=0.16)
    return _finished(sky)


def _waves(rng: np.random.Generator) -> Field:
    """A soft line of heights (1, width), around 0."""
    _, x = _grid()
    line = np.zeros_like(x)
    for k in (1, 2, 4, 7):
        height, length, start = rng.uniform(0.4, 1) / k, k * rng.uniform(3.5, 5), rng.uniform(0, 6.28)
        line += (height * np.sin(length * x + start)).astype(np.float32)
    return line


def _hill(picture: Field, ridge: Field, colour: Rgb, mist: float) -> None:
    """Paint below ``ridge`` (1, width), heights from 0 at the top to 1; paler towards its foot."""
    y, _ = _grid()
    cover = np.clip((y - ridge) * 250, 0, 1)[..., None]
    pale = np.clip((y - ridge) / mist, 0, 1)[..., None] * 0.35
    shade = np.array(colour) * (1 - pale) + np.array((236, 212, 196)) * pale
    picture += cover * (shade - picture)


def _bookshelf() -> Plane:
    """Books in a warm room, out of focus."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (74, 54, 42))
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(11)
    for bottom in range(190, HEIGHT_PX + 200, 205):
        for left in range(-20, WIDTH_PX, 330):
            _books(draw, rng, (left, left + 312), bottom)
        draw.rectangle((0, bottom, WIDTH_PX, bottom + 17), (148, 110, 80))
    for left in range(-38, WIDTH_PX, 330):
        draw.rectangle((left, 0, left + 18, HEIGHT_PX), (138, 102, 74))
    return _finished(_lamp(np.asarray(image.filter(ImageFilter.GaussianBlur(9)), np.float32), (0.1, 0.25), 0.5))


def _books(draw: ImageDraw.ImageDraw, rng: np.random.Generator, span: tuple[int, int], bottom: int) -> None:
    """One compartment, from ``span`` left to right; some room stays free at its end."""
    x, end = span[0] + 6, span[1] - int(rng.integers(10, 110))
    while x < end:
        width, height = int(rng.integers(14, 38)), int(rng.integers(110, 166))
        colour = _BOOKS[int(rng.integers(len(_BOOKS)))]
        draw.rectangle((x, bottom - height, x + width - 2, bottom), colour)
        draw.rectangle((x, bottom - height + 22, x + width - 2, bottom - height + 28), _brighter(colour))
        x += width


def _brighter(colour: Rgb) -> Rgb:
    r, g, b = (min(255, value + 45) for value in colour)
    return r, g, b


def _window() -> Plane:
    """A bright wall with a window to the garden, out of focus."""
    image = _garden()
    draw, wall, wood = ImageDraw.Draw(image), (214, 208, 196), (240, 238, 232)
    for box in ((0, 0, 730, HEIGHT_PX), (1170, 0, WIDTH_PX, HEIGHT_PX), (0, 0, WIDTH_PX, 60), (0, 560, WIDTH_PX, 720)):
        draw.rectangle(box, wall)
    for left, top, right, bottom in ((730, 60, 750, 560), (1150, 60, 1170, 560), (942, 60, 958, 560)):
        draw.rectangle((left, top, right, bottom), wood)
    for left, top, right, bottom in ((730, 60, 1170, 80), (730, 292, 1170, 304), (700, 540, 1200, 590)):
        draw.rectangle((left, top, right, bottom), wood)
    draw.rectangle((0, 640, WIDTH_PX, HEIGHT_PX), (176, 152, 126))
    return _finished(_lamp(np.asarray(image.filter(ImageFilter.GaussianBlur(6)), np.float32), (0.74, 0.4), 0.35))


def _garden() -> Image.Image:
    """Sky and leaves, far out of focus, to the right."""
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (198, 220, 232))
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(3)
    for _ in range(150):
        x, y, r = (int(rng.integers(*span)) for span in ((720, 1180), (290, 600), (14, 44)))
        green = (int(rng.integers(100, 165)), int(rng.integers(140, 190)), int(rng.integers(95, 135)))
        draw.ellipse((x - r, y - r, x + r, y + r), green)
    return image.filter(ImageFilter.GaussianBlur(18))


def _studio() -> Plane:
    """A dark blue-grey wall with a soft light on it."""
    wall = _gradient([(0, (58, 68, 82)), (0.75, (72, 84, 98)), (1, (50, 58, 70))])
    return _finished(_lamp(wall, (0.5, 0.35), 0.6))


def _lamp(picture: Field, centre: tuple[float, float], fall: float) -> Field:
    """``picture`` (h, w, 3) lit from a point, given in parts of the width and the height; darker far from it."""
    y, x = _grid()
    distance = np.hypot((x - centre[0]) * (WIDTH_PX / HEIGHT_PX), y - centre[1])
    lit: Field = picture * (1 + fall * (np.exp(-(distance**2) / 0.35) - 0.5))[..., None]
    return lit


def _gradient(stops: list[tuple[float, Rgb]]) -> Field:
    """(h, w, 3), from the top (0) to the bottom (1)."""
    heights, colours = zip(*stops, strict=True)
    y, _ = _grid()
    rows = np.stack([np.interp(y[:, 0], heights, channel) for channel in zip(*colours, strict=True)], axis=-1)
    return np.repeat(rows[:, None].astype(np.float32), WIDTH_PX, axis=1)


def _grid() -> tuple[Field, Field]:
    """(h, 1) and (1, w): the heights and widths from 0 to 1."""
    y, x = np.ogrid[0 : 1 : HEIGHT_PX * 1j, 0 : 1 : WIDTH_PX * 1j]
    return y.astype(np.float32), x.astype(np.float32)


def _finished(picture: Field) -> Plane:
    """As bytes, with a grain that keeps slow gradients from showing steps."""
    grain = np.random.default_rng(1).normal(0, 0.8, (HEIGHT_PX, WIDTH_PX, 1))
    drawn: Plane = np.clip(picture + grain + 0.5, 0, 255).astype(np.uint8)
    return drawn


#: Name to what draws it.
BUILT_IN: Mapping[str, Callable[[], Plane]] = MappingProxyType(
    {"studio": _studio, "bookshelf": _bookshelf, "window": _window, "dawn": _dawn}
)
#: What people read, by the language of the page.
TITLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "studio": {"en": "Studio", "zh-Hant": "攝影棚"},
        "bookshelf": {"en": "Bookshelf", "zh-Hant": "書架"},
        "window": {"en": "Window", "zh-Hant": "窗邊"},
        "dawn": {"en": "Dawn", "zh-Hant": "晨光"},
    }
)
