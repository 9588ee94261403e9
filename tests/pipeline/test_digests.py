"""Tests of what is known of a recording's files."""

import hashlib
import os
from pathlib import Path

import pytest

from vmeet_core.pipeline import digests
from vmeet_core.pipeline.digests import FILE_NAME, Digests


def digest(folder: Path, file: str = "a") -> str:
    with Digests(folder) as known:
        return known.of(file)


def test_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path) == f"3:{hashlib.sha256(b'abc').hexdigest()}"
    assert digest(tmp_path, str(tmp_path / "a")) == digest(tmp_path)
    with pytest.raises(FileNotFoundError):
        digest(tmp_path, "b")


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    before = digest(tmp_path)
    read: list[Path] = []
    real = digests._sha256
    monkeypatch.setattr(digests, "_sha256", lambda path: read.append(path) or real(path))
    assert digest(tmp_path) == before
    assert not read
    path.write_bytes(b"abd")
    os.utime(path, ns=(1, 1))
    assert digest(tmp_path) != before
    assert read == [path]


@pytest.mark.parametrize("kept", [b"", b"{", b"[1]", b'{"a": 3}', b'{"a": [3]}'])
def test_what_was_kept_may_be_damaged(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / FILE_NAME).write_bytes(kept)
    assert digest(tmp_path).startswith("3:")


def test_a_folder_that_takes_nothing_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"abc")
    monkeypatch.setattr(Path, "write_text", full)
    assert digest(tmp_path).startswith("3:")
    assert not (tmp_path / FILE_NAME).exists()
