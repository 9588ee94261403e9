"""Pictures by name: uploads from a folder, few of them in memory, and no name that leads out of it."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from vmeet_core.color import Plane
from vmeet_core.effects import pictures
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.picture_shelf import MOST_OPEN, PictureShelf, is_upload_name, upload_file, upload_name
from vmeet_core.effects.pictures import BUILT_IN, built_in, encoded_jpeg


def put(folder: Path, level: int) -> str:
    """An upload of one colour, as the server keeps it."""
    jpeg = encoded_jpeg(np.full((36, 64, 3), level, np.uint8))
    folder.mkdir(exist_ok=True)
    upload_file(folder, upload_name(jpeg)).write_bytes(jpeg)
    return upload_name(jpeg)


def test_our_own_are_on_every_shelf(tmp_path):
    shelf = PictureShelf(tmp_path / "absent")
    assert all(shelf(name) is built_in(name) for name in BUILT_IN)


def test_our_own_are_drawn_before_anybody_waits_for_them(tmp_path):
    pictures._drawn.cache_clear()
    PictureShelf(tmp_path / "absent").draw()
    assert pictures._drawn.cache_info().currsize == len(BUILT_IN)


def test_an_upload_is_decoded_once_and_nobody_may_change_it(tmp_path):
    name, shelf = put(tmp_path, 90), PictureShelf(tmp_path)
    picture = shelf(name)
    assert picture.shape == (36, 64, 3)
    assert np.abs(picture.astype(int) - 90).max() <= 1
    assert not picture.flags.writeable
    assert shelf(name) is picture
    upload_file(tmp_path, name).unlink()
    assert shelf(name) is picture, "whoever shows it goes on"


def test_only_the_last_few_stay_in_memory(tmp_path):
    names, shelf = [put(tmp_path, 20 * n) for n in range(MOST_OPEN + 1)], PictureShelf(tmp_path)
    first = shelf(names[0])
    for name in names[1:-1]:
        shelf(name)
    assert shelf(names[0]) is first
    second = shelf(names[1])
    shelf(names[0])
    shelf(names[-1])  # names[2] makes way
    assert shelf(names[0]) is first
    assert shelf(names[1]) is second
    upload_file(tmp_path, names[2]).unlink()
    with pytest.raises(ValueError, match="not here any more"):
        shelf(names[2])


def test_showing_a_picture_counts_as_using_it(tmp_path):
    name, shelf = put(tmp_path, 90), PictureShelf(tmp_path)
    for _ in range(2):  # read, and from memory
        os.utime(upload_file(tmp_path, name), (1, 1))
        shelf(name)
        assert upload_file(tmp_path, name).stat().st_mtime > 1e9


@pytest.mark.parametrize("name", ["beach", "", "../secret", "u" + "0" * 31, "u" + "0" * 33, "U" + "0" * 32, "u\n"])
def test_a_name_that_is_none_is_told(tmp_path, name):
    with pytest.raises(ValueError, match=r"there are studio"):
        PictureShelf(tmp_path)(name)


def test_an_upload_that_is_absent_or_broken_is_named(tmp_path):
    name, shelf = "u" + "0" * 32, PictureShelf(tmp_path)
    with pytest.raises(ValueError, match=f"'{name}' is not here any more; upload it again"):
        shelf(name)
    upload_file(tmp_path, name).write_bytes(b"\xff\xd8\xff half a JPEG")
    with pytest.raises(ValueError, match=f"'{name}' cannot be read"):
        shelf(name)


def test_names_tell_the_content_and_fit_the_options():
    one, other = upload_name(b"one"), upload_name(b"other")
    assert one == upload_name(b"one") != other
    assert is_upload_name(one)
    assert EffectOptions(background=one).background == one
    assert not any(is_upload_name(name) for name in BUILT_IN)


@pytest.mark.parametrize("name", ["studio", "../../etc/passwd", "u" + "0" * 32 + "\n", "u" + "٠" * 32, "u/" + "0" * 31])
def test_no_other_name_becomes_a_path(tmp_path, name):
    with pytest.raises(ValueError, match="no name of an uploaded picture"):
        upload_file(tmp_path, name)


def test_several_threads_share_it(tmp_path):
    names, shelf = [put(tmp_path, 10 * n) for n in range(MOST_OPEN + 3)], PictureShelf(tmp_path)
    seen: list[Plane] = []

    def look(turn: int) -> None:
        seen.extend(shelf(names[(turn + n) % len(names)]) for n in range(40))

    threads = [threading.Thread(target=look, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
