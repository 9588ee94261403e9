"""Entries of an ONNX file as the onnx package writes them, and files that are none."""

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vmeet_stt_sherpa.onnx_metadata import NotOnnx, read_metadata


def test_entries_are_those_that_onnx_reads(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        for path in folder.glob("*.onnx"):
            wanted = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
            assert read_metadata(path) == wanted
            assert wanted


def test_long_and_odd_entries_are_read(folders: dict[str, Path], tmp_path: Path) -> None:
    model = onnx.load(folders["paraformer"] / "model.onnx")
    entries = {"long": "1.5," * 100_000, "chinese": "語音", "empty": ""}
    onnx.helper.set_model_props(model, entries)
    onnx.save(model, tmp_path / "model.onnx")
    assert read_metadata(tmp_path / "model.onnx") == entries


def test_a_truncated_file_is_none(folders: dict[str, Path], tmp_path: Path) -> None:
    content = (folders["sense-voice"] / "model.int8.onnx").read_bytes()
    for size in (1, 20, len(content) // 2, len(content) - 1):
        (tmp_path / "model.onnx").write_bytes(content[:size])
        with pytest.raises(NotOnnx, match=r"model\.onnx"):
            read_metadata(tmp_path / "model.onnx")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_other_files_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(NotOnnx):
        read_metadata(tmp_path / "model.onnx")


@given(content=st.binary(max_size=200))
def test_whatever_the_bytes_it_ends_with_entries_or_that_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    try:
        assert isinstance(read_metadata(path), dict)
    except NotOnnx as error:
        assert "any.onnx" in str(error)  # noqa: PT017 (either is right)
