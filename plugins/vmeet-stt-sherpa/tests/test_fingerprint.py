"""What tells one model folder from another."""

from pathlib import Path

from vmeet_stt_sherpa.fingerprint import fingerprint


def test_it_changes_with_names_sizes_beginnings_and_ends(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    found = set()
    for content in (b"a" * 300_000, b"b" + b"a" * 299_999, b"a" * 299_999 + b"b", b"a" * 300_001, b""):
        model.write_bytes(content)
        found.add(fingerprint(tmp_path))
    model.rename(tmp_path / "other.onnx")
    found.add(fingerprint(tmp_path))
    assert len(found) == 6


def test_a_copy_has_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.onnx").write_bytes(b"network")
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "none") == "absent"
