"""The pictures: our own, and uploads of every kind that people and attackers send."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from vmeet_core.effects.pictures import (
    BUILT_IN,
    LARGEST_SIDE_PX,
    TITLES,
    UnknownType,
    built_in,
    decode_picture,
    encoded_jpeg,
    smaller_jpeg,
)


def encoded(image: Image.Image, kind: str = "PNG", **given: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **given)
    return data.getvalue()


def gradient(size: tuple[int, int] = (60, 90)) -> Image.Image:
    y, x = np.ogrid[: size[0], : size[1]]
    return Image.fromarray(np.stack(np.broadcast_arrays(2 * x, 4 * y, x + y), axis=-1).astype(np.uint8))


def huge_png(width: int, height: int) -> bytes:
    """A picture of any size in a few bytes: the header is honest, the body is missing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", BUILT_IN)
def test_our_own_pictures_are_drawn_once_and_pleasant(name):
    picture = built_in(name)
    assert picture.shape == (720, 1280, 3)
    assert picture.dtype == np.uint8
    assert built_in(name) is picture
    assert not picture.flags.writeable
    assert np.array_equal(BUILT_IN[name](), picture)
    assert ((picture == 0) | (picture == 255)).mean() < 0.05  # neither black nor glaring
    steps = np.abs(np.diff(picture.astype(int), axis=1))
    assert np.median(steps) <= 2  # soft: the eye stays with the person


def test_our_own_pictures_differ():
    pictures = [built_in(name).astype(int) for name in BUILT_IN]
    pairs = [(a, b) for n, a in enumerate(pictures) for b in pictures[:n]]
    assert min(np.abs(a - b).mean() for a, b in pairs) > 20


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(ValueError, match="'beach'; there are studio, bookshelf, window, dawn"):
        built_in("beach")


@pytest.mark.parametrize(("kind", "off"), [("PNG", 0), ("JPEG", 12), ("WEBP", 16)])
def test_the_three_types_are_read(kind, off):
    picture = decode_picture(encoded(gradient(), kind))
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - np.asarray(gradient())).mean() <= off / 4
    picture[0] = 0  # it is one's own


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_types_are_refused_whatever_they_call_themselves(kind):
    with pytest.raises(UnknownType, match="no picture of the types JPEG, PNG, WEBP"):
        decode_picture(encoded(gradient(), kind))


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ValueError, match="picture"):
        decode_picture(data)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera held so does to the picture
    upright = gradient()
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(turns[orientation]))
    picture = decode_picture(encoded(stored, "PNG", exif=exif))
    assert np.array_equal(picture, np.asarray(upright))


def test_other_modes_become_rgb():
    assert decode_picture(encoded(gradient().convert("L"))).shape == (60, 90, 3)
    assert decode_picture(encoded(gradient().convert("P"))).shape == (60, 90, 3)
    assert decode_picture(encoded(gradient().convert("CMYK"), "JPEG")).shape == (60, 90, 3)
    deep = Image.fromarray(np.full((4, 4), 0x80FF, np.uint16))
    assert (decode_picture(encoded(deep)) == 0x80).all()


def test_what_is_transparent_hides_its_colour():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (decode_picture(encoded(clear)) == 128).all()


def test_of_a_moving_picture_the_first_is_taken():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#102030", "#ffffff")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert (decode_picture(data) == (0x10, 0x20, 0x30)).all()


def test_too_many_bytes_are_refused_unread():
    with pytest.raises(ValueError, match="has 1001 bytes; the limit is 1000"):
        decode_picture(b"x" * 1001, most_bytes=1000)


@pytest.mark.parametrize("size", [(10_000, 5000), (12_000, 12_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_before_they_go_off(size):
    tracemalloc.start()
    with pytest.raises(ValueError, match="limit is 40000000"):
        decode_picture(huge_png(*size))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20


def test_a_text_bomb_is_refused():
    body = b"k\0\0" + zlib.compress(b"\0" * (100 * 2**20))
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data = encoded(gradient())
    with pytest.raises(ValueError, match="damaged"):
        decode_picture(data[:33] + chunk + data[33:])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_file_is_refused(kind, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(ValueError, match=r"damaged or incomplete|no picture"):
        decode_picture(data[: round(len(data) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_files_raise_nothing_else(kind):
    data, rng = bytearray(encoded(gradient(), kind)), np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            broken[at] = int(rng.integers(256))
        with contextlib.suppress(ValueError):
            assert decode_picture(bytes(broken)).ndim == 3


def test_large_pictures_are_kept_smaller():
    for kind in ("PNG", "JPEG"):
        picture = decode_picture(encoded(Image.new("RGB", (4000, 1000), "#205080"), kind))
        assert picture.shape == (LARGEST_SIDE_PX // 4, LARGEST_SIDE_PX, 3)


def test_our_own_pictures_have_titles_in_the_languages_of_the_pages():
    assert list(TITLES) == list(BUILT_IN)
    assert {tuple(title) for title in TITLES.values()} == {("en", "zh-Hant")}
    for language in ("en", "zh-Hant"):
        assert len({title[language] for title in TITLES.values()}) == len(TITLES)


def test_a_jpeg_of_our_own_shows_the_picture():
    picture = np.asarray(gradient())
    jpeg = encoded_jpeg(picture)
    assert np.abs(decode_picture(jpeg).astype(int) - picture).mean() < 3
    assert encoded_jpeg(picture) == jpeg
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    assert decode_picture(encoded_jpeg(noise)).shape == noise.shape


@pytest.mark.parametrize("width_px", [16, 33, 89])
def test_a_smaller_one_is_the_same_picture(width_px):
    jpeg = encoded_jpeg(np.asarray(gradient()))
    small = decode_picture(smaller_jpeg(jpeg, width_px))
    assert small.shape == (round(60 * width_px / 90), width_px, 3)
    wanted = np.asarray(gradient().resize((width_px, small.shape[0]), Image.Resampling.BOX)).astype(int)
    assert np.abs(small.astype(int) - wanted).mean() < 4


def test_none_is_made_larger():
    jpeg = encoded_jpeg(np.asarray(gradient()))
    assert smaller_jpeg(jpeg, 90) is jpeg
    assert smaller_jpeg(jpeg, 1920) is jpeg
    assert decode_picture(smaller_jpeg(encoded_jpeg(np.zeros((2, 1000, 3), np.uint8)), 16)).shape == (1, 16, 3)
