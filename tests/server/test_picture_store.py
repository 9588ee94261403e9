"""Uploads on disk: whole or not at all, a bounded folder, and the disk is never filled up."""

import errno
import os
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from vmeet_core.effects.picture_shelf import upload_file, upload_name
from vmeet_core.server.picture_store import DiskNearlyFull, PictureStore


def jpeg(number: int, size_bytes: int = 1000) -> bytes:
    """Nothing here looks into it."""
    return number.to_bytes(4, "big").ljust(size_bytes, b".")


def aged(store: PictureStore, number: int, used_s: int) -> str:
    """Keep one that was last used then."""
    name = store.add(jpeg(number))
    os.utime(upload_file(store.folder, name), (used_s, used_s))
    return name


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()}


def test_a_picture_comes_back_under_the_name_of_its_content(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "data" / "pictures", 0)
    name = store.add(jpeg(1))
    assert name == upload_name(jpeg(1))
    assert store.read(name) == jpeg(1)
    assert store.add(jpeg(1)) == name
    assert names(store.folder) == {name}


@pytest.mark.parametrize("name", ["studio", "../access_key", "u" + "0" * 32, ""])
def test_there_is_none_of_another_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "access_key.jpg").write_text("secret")
    store = PictureStore(tmp_path / "pictures", 0)
    assert store.read(name) is None
    store.add(jpeg(1))
    assert store.read(name) is None


def test_those_used_least_recently_make_way(tmp_path: Path) -> None:
    store = PictureStore(tmp_path, 0, most_bytes=3500)
    a, b, c = (aged(store, number, 100 + number) for number in range(3))
    assert store.read(a) is not None, "fetched: it is in use"
    d = store.add(jpeg(3))
    assert names(tmp_path) == {a, c, d}
    store.add(jpeg(2))  # uploaded again: it is in use
    os.utime(upload_file(tmp_path, d), (1, 1))
    e = store.add(jpeg(4))
    assert names(tmp_path) == {a, c, e}
    assert b not in names(tmp_path)


def test_what_is_no_upload_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"." * 5000)
    store = PictureStore(tmp_path, 0, most_bytes=2500)
    a, b = aged(store, 1, 1), aged(store, 2, 2)
    assert names(tmp_path) == {"notes", a, b}


def test_a_disk_that_is_nearly_full_is_not_filled_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    store = PictureStore(tmp_path, 500 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, (500 << 20) + 999))
    with pytest.raises(DiskNearlyFull, match=r"500 MiB are free, 500 MiB are kept.*recording\.min_free_bytes"):
        store.add(jpeg(1))
    assert names(tmp_path) == set()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, (500 << 20) + 1000))
    name = store.add(jpeg(1))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, 0))
    assert store.add(jpeg(1)) == name, "it takes no more room"


def test_a_disk_that_is_full_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskNearlyFull, match="disk is full: No space left"):
        PictureStore(tmp_path, 0).add(jpeg(1))
    assert names(tmp_path) == set()


def test_what_a_killed_server_left_is_removed(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures", 0)
    store.tidy()  # of no folder
    name = store.add(jpeg(1))
    descriptor, _ = tempfile.mkstemp(suffix=".part", dir=store.folder)
    os.close(descriptor)
    store.tidy()
    assert names(store.folder) == {name}
