"""Tests of what is deleted of a folder of results."""

from pathlib import Path

from vmeet_core.pipeline.leftovers import remove_leftovers


def test_what_nobody_names_goes_and_everything_else_stays(tmp_path: Path) -> None:
    for name in ("named", "old"):
        (tmp_path / name).touch()
    (tmp_path / ".step.partial").mkdir()
    (tmp_path / ".step.partial" / "half").touch()
    assert sorted(remove_leftovers(tmp_path, {tmp_path / "named", tmp_path / "absent"})) == [".step.partial", "old"]
    assert [path.name for path in tmp_path.iterdir()] == ["named"]
    assert remove_leftovers(tmp_path, {tmp_path / "named"}) == []


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "absent", set()) == []
