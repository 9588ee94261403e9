"""Pairs of photo and mask, good and bad, and their place in a webcam's frame."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.portraits import Scene, binary, find_portraits, jpeg, read_portrait, webcam_scene

MakePortraits = Callable[..., Path]


def test_pairs_come_by_name(make_portraits: MakePortraits) -> None:
    folder = make_portraits("b", "a")
    (folder / "notes.txt").touch()
    assert [portrait.name for portrait in find_portraits(folder)] == ["a", "b"]
    scene = read_portrait(find_portraits(folder)[0])
    assert (scene.rgb.shape, scene.truth.shape) == ((120, 90, 3), (120, 90))
    assert not scene.frame.y.flags.writeable


@pytest.mark.parametrize(("kept", "lost"), [(".jpg", ".png"), (".png", ".jpg")])
def test_a_missing_half_is_named(make_portraits: MakePortraits, kept: str, lost: str) -> None:
    folder = make_portraits("a", "b")
    (folder / f"b{lost}").unlink()
    with pytest.raises(CompareError, match=rf"lacks NAME\{lost} for b: add it, or remove NAME\{kept}"):
        find_portraits(folder)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("damage", [lambda data: b"nothing", lambda data: data[: len(data) // 2], lambda data: b""])
def test_a_file_that_is_no_picture_is_named(make_portraits: MakePortraits, suffix: str, damage) -> None:
    folder = make_portraits("a")
    file = folder / f"a{suffix}"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CompareError, match=rf"a\{suffix} cannot be read as a picture \(.*\): replace or remove it"):
        read_portrait(find_portraits(folder)[0])


def test_a_mask_of_another_size_is_named(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a")
    Image.new("L", (30, 40)).save(folder / "a.png")
    with pytest.raises(CompareError, match=r"a\.jpg is 90x120 and .*a\.png 30x40: give both one size"):
        read_portrait(find_portraits(folder)[0])


def test_two_values_are_no_person_and_person_and_grey_is_cut_in_the_middle() -> None:
    two = np.array([[0, 1], [0, 1]], np.uint8)
    assert binary(two).tolist() == [[False, True], [False, True]]
    assert binary(np.array([[0, 127, 128, 255]], np.uint8)).tolist() == [[False, False, True, True]]
    assert binary(np.array([[0, 1, 2, 3]], np.uint8)).tolist() == [[False, True, True, True]]  # labels
    assert not binary(np.zeros((2, 2), np.uint8)).any()


def test_a_mask_of_a_palette_or_with_alpha_is_read(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a")
    wanted = read_portrait(find_portraits(folder)[0]).truth
    Image.open(folder / "a.png").convert("RGBA").save(folder / "a.png")
    np.testing.assert_array_equal(read_portrait(find_portraits(folder)[0]).truth, wanted)


def test_a_webcam_frame_holds_the_photo_in_its_middle(make_portraits: MakePortraits) -> None:
    scene = read_portrait(find_portraits(make_portraits("a"))[0])
    framed = webcam_scene(scene)
    assert (framed.rgb.shape, framed.truth.shape) == ((720, 1280, 3), (720, 1280))
    left, right = (1280 - 540) // 2, (1280 + 540) // 2
    assert not framed.truth[:, :left].any()
    assert not framed.truth[:, right:].any()
    assert np.mean(framed.truth[:, left:right]) == pytest.approx(np.mean(scene.truth), abs=0.01)
    rough = [float(np.abs(np.diff(part.astype(int), axis=1)).mean()) for part in (framed.rgb[:, :left], scene.rgb)]
    assert rough[0] < 2 < rough[1]


def test_a_photo_wider_than_the_frame_loses_its_sides() -> None:
    truth = np.zeros((100, 300), bool)
    truth[:, 140:160] = True
    framed = webcam_scene(Scene(np.full((100, 300, 3), 100, np.uint8), truth))
    assert framed.rgb.shape == (720, 1280, 3)
    assert abs(int(np.flatnonzero(framed.truth[0]).mean()) - 640) <= 1


def test_pictures_of_the_report_are_small() -> None:
    data = jpeg(np.zeros((720, 1280, 3), np.uint8), 320)
    assert data[:2] == b"\xff\xd8"
    assert len(data) < 5000
