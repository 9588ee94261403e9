"""Tests of how much room folders take."""

import os
import time
from pathlib import Path

from vmeet_core.server.folder_sizes import FolderSizes, folder_bytes


def settle(*folders: Path) -> None:
    """As if their last change were long ago."""
    for folder in folders:
        os.utime(folder, (time.time() - 60, time.time() - 60))


def test_all_files_count_and_are_counted_again_after_a_change(tmp_path: Path) -> None:
    sub = tmp_path / "a" / "b"
    sub.mkdir(parents=True)
    (tmp_path / "x").write_bytes(b"1" * 10)
    (sub / "y").write_bytes(b"1" * 5)
    sizes = FolderSizes()
    assert sizes.bytes_of(tmp_path) == folder_bytes(tmp_path) == 15
    settle(tmp_path, tmp_path / "a", sub)
    assert sizes.bytes_of(tmp_path) == 15
    (sub / "z").write_bytes(b"1" * 7)
    assert sizes.bytes_of(tmp_path) == 22
    settle(sub)
    assert sizes.bytes_of(tmp_path) == 22
    (sub / "y").unlink()
    assert sizes.bytes_of(tmp_path) == 17


def test_files_are_not_looked_at_again_without_a_change(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1" * 10)
    settle(tmp_path)
    sizes = FolderSizes()
    assert sizes.bytes_of(tmp_path) == 10
    (tmp_path / "x").write_bytes(b"1" * 20)  # in its place: nothing of a recording that has ended does that
    assert sizes.bytes_of(tmp_path) == 10
    settle(tmp_path)
    assert sizes.bytes_of(tmp_path) == 20


def test_a_folder_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1" * 10)
    sizes = FolderSizes()
    assert sizes.bytes_of(tmp_path) == 10
    (tmp_path / "x").write_bytes(b"1" * 20)
    assert sizes.bytes_of(tmp_path) == 20


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    sizes = FolderSizes()
    assert sizes.bytes_of(tmp_path / "absent") == 0
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "x").write_bytes(b"1")
    assert sizes.bytes_of(tmp_path / "absent") == 1
