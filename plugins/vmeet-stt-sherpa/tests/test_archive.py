"""Archives that are good, hostile, damaged, or being unpacked by several at once."""

import io
import logging
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from vmeet_stt_sherpa import archive as archive_module
from vmeet_stt_sherpa.archive import unpacked

from vmeet_core.hookspecs import Permanent

DIGEST = "0123456789abcdef" * 4
LOGGER = logging.getLogger("test")
GOOD = {"it/model.int8.onnx": b"network" * 1000, "it/tokens.txt": b"a 0\n", "it/LICENSE": b"free"}


def packed(path: Path, files: dict[str, bytes], mode: str = "w:bz2") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def with_member(path: Path, change: Callable[[tarfile.TarInfo], None]) -> Path:
    with tarfile.open(path, "w:bz2") as tar:
        member = tarfile.TarInfo("it/model.onnx")
        change(member)
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


@pytest.mark.parametrize(("suffix", "mode"), [("bz2", "w:bz2"), ("gz", "w:gz"), ("xz", "w:xz"), ("tar", "w")])
def test_the_files_of_a_model_are_unpacked(tmp_path: Path, suffix: str, mode: str) -> None:
    others = {"it/test_wavs/zh.wav": b"RIFF", "it/README.md": b"read", "it/export.py": b"exit()", "it/a/b/c.onnx": b"x"}
    path = packed(tmp_path / f"a.{suffix}", GOOD | others, mode)
    folder = unpacked(path, DIGEST, tmp_path, LOGGER)
    assert folder == tmp_path / "sherpa-0123456789abcdef"
    assert names(folder) == ["LICENSE", "model.int8.onnx", "tokens.txt"]
    assert (folder / "model.int8.onnx").read_bytes() == GOOD["it/model.int8.onnx"]


def test_files_without_a_folder_and_with_a_dot_are_taken_too(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", {"./model.onnx": b"n", "tokens.txt": b"a 0\n"})
    assert names(unpacked(path, DIGEST, tmp_path, LOGGER)) == ["model.onnx", "tokens.txt"]


def test_what_is_there_is_used(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", GOOD)
    first = unpacked(path, DIGEST, tmp_path, LOGGER)
    path.unlink()
    assert unpacked(path, DIGEST, tmp_path, LOGGER) == first


@pytest.mark.parametrize(
    "name", ["../evil.onnx", "/tmp/evil.onnx", "it/../../evil.onnx", "it\\..\\evil.onnx", "../../deep/er/notes.txt"]
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    store = tmp_path / "store"
    store.mkdir()
    path = packed(tmp_path / "a.tar.bz2", GOOD | {name: b"evil"})
    with pytest.raises(Permanent, match="leads out of its folder: do not use this archive"):
        unpacked(path, DIGEST, store, LOGGER)
    assert names(tmp_path) == ["a.tar.bz2"]


def link(kind: bytes, to: str) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname = kind, to

    return change


@pytest.mark.parametrize(
    "change",
    [
        link(tarfile.SYMTYPE, "/etc/passwd"),
        link(tarfile.LNKTYPE, "it/tokens.txt"),
        link(tarfile.CHRTYPE, ""),
        link(tarfile.FIFOTYPE, ""),
        link(tarfile.DIRTYPE, ""),
    ],
    ids=["symlink", "hardlink", "device", "fifo", "folder"],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, change: Callable[[tarfile.TarInfo], None]) -> None:
    path = with_member(tmp_path / "a.tar.bz2", change)
    with pytest.raises(Permanent, match=r"'it/model\.onnx', which is no plain file"):
        unpacked(path, DIGEST, tmp_path, LOGGER)
    assert names(tmp_path) == ["a.tar.bz2"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", {"a/model.onnx": b"1", "b/model.onnx": b"2"})
    with pytest.raises(Permanent, match=r"two files model\.onnx"):
        unpacked(path, DIGEST, tmp_path, LOGGER)


def test_an_archive_that_grows_too_large_is_refused_before_it_is_written(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", {"it/model.onnx": bytes(10_000_000)})
    assert path.stat().st_size < 1000
    with pytest.raises(Permanent, match="more than 10000 files or 9999999 bytes"):
        unpacked(path, DIGEST, tmp_path, LOGGER, most_bytes=9_999_999)
    assert names(tmp_path) == ["a.tar.bz2"]


def test_files_that_are_left_out_count_too(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", {"it/long.wav": bytes(10_000_000)} | GOOD)
    with pytest.raises(Permanent, match="that is no model"):
        unpacked(path, DIGEST, tmp_path, LOGGER, most_bytes=9_999_999)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_MEMBERS", 2)
    with pytest.raises(Permanent, match="more than 2 files"):
        unpacked(packed(tmp_path / "a.tar.bz2", GOOD), DIGEST, tmp_path, LOGGER)


@pytest.mark.parametrize("content", [b"", b"no archive", b"BZh91AY&SY" + bytes(100), bytes(5000)])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.bz2"
    path.write_bytes(content)
    if content == bytes(5000):  # a tar file of nothing
        assert names(unpacked(path, DIGEST, tmp_path, LOGGER)) == []
        return
    with pytest.raises(Permanent, match=r"a\.tar\.bz2 is no archive that can be read"):
        unpacked(path, DIGEST, tmp_path, LOGGER)
    assert names(tmp_path) == ["a.tar.bz2"]


@pytest.mark.parametrize("mode", ["w:bz2", "w:gz", "w:xz", "w"])
def test_half_an_archive_leaves_nothing(tmp_path: Path, mode: str) -> None:
    content = {name: bytes(range(256)) * 400 for name in GOOD}
    path = packed(tmp_path / "a.tar", content, mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Permanent, match="is no archive that can be read"):
        unpacked(path, DIGEST, tmp_path, LOGGER)
    assert names(tmp_path) == ["a.tar"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".sherpa-0123456789abcdef-abandoned"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"half")
    unpacked(packed(tmp_path / "a.tar.bz2", GOOD), DIGEST, tmp_path, LOGGER)
    assert not left.exists()


def test_several_at_once_unpack_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, begun, found = packed(tmp_path / "a.tar.bz2", GOOD), [], []
    unpack = archive_module._unpack
    both = threading.Barrier(2)

    def counted(*args: object) -> None:
        begun.append(args)
        unpack(*args)  # type: ignore[arg-type]

    def work() -> None:
        both.wait(10)
        found.append(names(unpacked(path, DIGEST, tmp_path, LOGGER)))

    monkeypatch.setattr(archive_module, "_unpack", counted)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [["LICENSE", "model.int8.onnx", "tokens.txt"]] * 2
    assert len(begun) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.bz2", GOOD)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Permanent, match=r"cannot be unpacked in .*set weights\.dir to a folder that can be written"):
        unpacked(path, DIGEST, tmp_path / "file", LOGGER)
