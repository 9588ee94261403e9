"""What is put behind the person: the right colours, no halo, little work done twice."""

import cv2
import numpy as np
import pytest
from effect_scenes import HD, before, checkers, grey, outer, outline, plain

from vmeet_core.color import rgb_to_i420
from vmeet_core.effects.background import Background, Blur, Colour, Picture, covering
from vmeet_core.effects.planes import Alpha, chroma_size, shrunk
from vmeet_core.hookspecs import Frame

COLORS = ["bt601-limited", "bt601-full"]
ODD_SIZES = [(1, 1), (2, 3), (17, 9), (361, 203), (721, 1279)]


def alpha_of(person: np.ndarray) -> Alpha:
    luma = (person * 255).astype(np.uint8)
    return Alpha(luma, shrunk(luma, chroma_size(luma.shape)))


def behind(background: Background, frame: Frame, person: np.ndarray | None = None) -> Frame:
    nobody = np.zeros(frame.y.shape, np.float32)
    return background.backdrop(frame, alpha_of(nobody if person is None else person)).behind


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ff0000", "#20603c", "#1a2B3c"])
def test_a_colour_is_that_colour_in_both_ranges(colour, color):
    seen = behind(Colour(colour), plain((9, 11), 50, color=color))
    assert seen.color == color
    assert np.abs(seen.rgb().astype(int) - list(bytes.fromhex(colour[1:]))).max() <= 2


@pytest.mark.parametrize("colour", ["", "20603c", "#20603", "#20603c0", "#20603g", "green", "# 2 3 4"])
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(ValueError, match=r"colour|hex"):
        Colour(colour)


def test_a_colour_follows_a_change_of_size_and_of_range():
    colour = Colour("#ffffff")
    for size, color, white in (((4, 6), COLORS[0], 235), ((4, 6), COLORS[1], 255), ((8, 6), COLORS[1], 255)):
        seen = behind(colour, plain(size, 0, color=color))
        assert seen.y.shape == size
        assert (seen.y == white).all()


def test_a_picture_covers_and_keeps_its_middle_and_its_shape():
    picture = np.zeros((100, 400, 3), np.uint8)
    picture[:, 150:250] = 255  # a square in the middle
    assert (covering(picture, (50, 50)) == 255).all()
    wide = covering(picture, (100, 200))
    assert (wide[:, 52:148] == 255).all()
    assert (wide[:, :48] == 0).all()
    tall = covering(np.ascontiguousarray(picture.transpose(1, 0, 2)), (200, 100))
    assert np.array_equal(tall, wide.transpose(1, 0, 2))


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("size", [(36, 64), (37, 65), (144, 256), (1, 1)])
def test_a_picture_is_shown_in_its_own_colours(size, color):
    picture = np.random.default_rng(0).integers(0, 256, (72, 128, 3), dtype=np.uint8)
    seen = behind(Picture(picture), plain(size, 50, color=color))
    wanted = rgb_to_i420(covering(picture, size), color == "bt601-limited")
    assert all(np.array_equal(a, b) for a, b in zip((seen.y, seen.u, seen.v), wanted, strict=True))


def test_a_picture_is_converted_once_for_each_of_two_sizes():
    background = Picture(np.full((72, 128, 3), 90, np.uint8))
    large, small = plain((72, 128), 0), plain((36, 64), 0)
    first = [behind(background, frame) for frame in (large, small)]
    again = [behind(background, frame) for frame in (large, small)]
    assert all(a is b for a, b in zip(first, again, strict=True))
    behind(background, plain((18, 32), 0))
    assert behind(background, small) is first[1]
    assert behind(background, large) is not first[0]


@pytest.mark.parametrize("array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_what_is_no_picture_is_refused(array):
    with pytest.raises(ValueError, match="a picture is"):
        Picture(array)


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.6, 1.0])
def test_the_person_gives_no_halo(strength):
    """A red person before a grey wall: the blurred wall has no trace of red, where a plain blur is full of it."""
    person = outline(HD)
    frame = before(person, plain(HD, 81, 90, 240), plain(HD, 150))
    seen = behind(Blur(strength), frame, person)
    assert (seen.y == 150).all()
    assert (seen.u == 128).all()
    assert (seen.v == 128).all()
    halo = cv2.GaussianBlur(frame.v, (0, 0), 0.01 * 360)
    assert (halo[outer(person, 2)[::2, ::2]] > 140).sum() > 1000


def test_a_mask_that_misses_the_rim_gives_no_halo_either():
    person = outline(HD)
    frame = before(person, plain(HD, 81, 90, 240), plain(HD, 150))
    missed = cv2.erode(person, np.ones((9, 9)))
    seen = behind(Blur(0.6), frame, missed)
    assert (seen.v[outer(person, 4)[::2, ::2]] == 128).all()


def test_the_room_is_blurred_as_though_nobody_were_there():
    x = np.linspace(40, 220, HD[1])[None]
    room = grey(np.repeat(x, HD[0], axis=0).astype(np.uint8))
    person = outline(HD)
    empty, seen = behind(Blur(0.5), room).y.copy(), behind(Blur(0.5), before(person, plain(HD, 16), room), person).y
    assert np.abs(seen.astype(int) - empty)[outer(person, 60)].max() <= 3
    assert np.abs(seen.astype(int) - empty)[outer(person, 8)].max() <= 12


def test_more_strength_leaves_less_detail():
    room = grey(cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, HD, dtype=np.uint8), (0, 0), 6))
    detail = [float(behind(Blur(strength), room).y.std()) for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert detail == sorted(detail, reverse=True)
    assert detail[0] < 0.75 * room.y.std()
    assert detail[-1] < 0.35 * detail[0]


def test_text_cannot_be_read_at_the_default_strength():
    """Letters 24 pixels high at 720p."""
    room = plain(HD, 220)
    cv2.putText(room.y, "secret word on the wall", (100, 300), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 30, 3)
    seen = behind(Blur(0.6), room).y
    letters = slice(270, 306), slice(100, 520)
    assert np.std(np.diff(seen[letters].astype(int))) < 0.02 * np.std(np.diff(room.y[letters].astype(int)))


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("who", ["nobody", "everybody", "somebody"])
def test_odd_sizes_and_full_pictures_are_no_trouble(size, who):
    person = {"nobody": np.zeros(size), "everybody": np.ones(size), "somebody": outline(size)}[who]
    frame = checkers(size)
    for background in (Blur(0.0), Blur(1.0), Colour("#123456"), Picture(np.zeros((9, 7, 3), np.uint8))):
        for given in background.backdrop(frame, alpha_of(person)):
            assert given.y.shape == size
            assert given.u.shape == given.v.shape == chroma_size(size)
            assert all(plane.dtype == np.uint8 for plane in (given.y, given.u, given.v))
