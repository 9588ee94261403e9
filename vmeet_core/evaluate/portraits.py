"""Photos with true person masks: ``NAME.jpg`` and ``NAME.png``, as they are or set into a webcam's frame."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.mask_metrics import Mask
from vmeet_core.hookspecs import Frame

PHOTO, MASK = ".jpg", ".png"
WEBCAM_PX = (1280, 720)  #: width, height
_GREY_PERSON = 128  # a grey mask is cut here
_SMALL_PX = (80, 45)  # the sides of the webcam frame are as blurred as a picture of this size, blurred again
_SIDE_BLUR_PX = 2

Rgb = NDArray[np.uint8]  # (height, width, 3)


class Portrait(NamedTuple):
    """One pair of files."""

    name: str
    photo: Path
    mask: Path


class Scene(NamedTuple):
    """A picture and where the person truly is, of the same size."""

    rgb: Rgb
    truth: Mask

    @property
    def frame(self) -> Frame:
        return read_only(Frame.from_rgb(self.rgb))


def find_portraits(folder: Path) -> list[Portrait]:
    """All pairs of ``folder``, by name. Raises CompareError for a half that is missing."""
    halves = {kind: {path.stem: path for path in folder.glob(f"*{kind}")} for kind in (PHOTO, MASK)}
    for kind, other in ((PHOTO, MASK), (MASK, PHOTO)):
        lonely = sorted(halves[kind].keys() - halves[other].keys())
        if lonely:
            names = ", ".join(lonely[:5]) + (f" and {len(lonely) - 5} more" if len(lonely) > 5 else "")
            raise CompareError(f"{folder} lacks NAME{other} for {names}: add it, or remove NAME{kind}")
    return [Portrait(name, halves[PHOTO][name], halves[MASK][name]) for name in sorted(halves[PHOTO])]


def read_portrait(portrait: Portrait) -> Scene:
    """Upright, as it is. Raises CompareError for a file that is no picture, and for a mask of another size."""
    rgb = np.asarray(_opened(portrait.photo).convert("RGB"))
    mask = np.asarray(_opened(portrait.mask).convert("L"))
    if rgb.shape[:2] != mask.shape:
        photo_px, mask_px = (f"{array.shape[1]}x{array.shape[0]}" for array in (rgb, mask))
        raise CompareError(f"{portrait.photo} is {photo_px} and {portrait.mask} {mask_px}: give both one size")
    return Scene(rgb, binary(mask))


def binary(mask: NDArray[np.uint8]) -> Mask:
    """True for a person: any value but 0 in a mask of two values or of labels, at least 128 in a grey one."""
    grey = len(np.unique(mask)) > 2 and mask.max() >= _GREY_PERSON
    person: Mask = mask >= _GREY_PERSON if grey else mask > 0
    return person


def webcam_scene(scene: Scene) -> Scene:
    """The photo at a webcam frame's height in its middle, the sides filled with a blurred, stretched copy.

    A photo wider than the frame loses its sides.
    """
    photo, mask = Image.fromarray(scene.rgb), Image.fromarray(scene.truth.astype(np.uint8) * 255)
    width, height = WEBCAM_PX
    scaled_px = max(1, round(photo.width * height / photo.height)), height
    left = (width - scaled_px[0]) // 2
    small = photo.resize(_SMALL_PX, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(_SIDE_BLUR_PX))
    canvas = small.resize(WEBCAM_PX, Image.Resampling.BICUBIC)
    canvas.paste(photo.resize(scaled_px, Image.Resampling.BICUBIC), (left, 0))
    truth = Image.new("L", WEBCAM_PX)
    truth.paste(mask.resize(scaled_px, Image.Resampling.BILINEAR), (left, 0))
    return Scene(np.asarray(canvas), np.asarray(truth) >= _GREY_PERSON)


def read_only(frame: Frame) -> Frame:
    """The same planes, which a filter then cannot write to."""
    for plane in (frame.y, frame.u, frame.v):
        plane.flags.writeable = False
    return frame


def jpeg(rgb: Rgb, longest_px: int) -> bytes:
    """A small copy, for the report."""
    image = Image.fromarray(rgb)
    image.thumbnail((longest_px, longest_px))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            upright.load()
            return upright
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise CompareError(f"{path} cannot be read as a picture ({error}): replace or remove it") from error
