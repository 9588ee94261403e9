"""Which files a command line means."""

from pathlib import Path

import pytest
from material import beep, write_opus

from vmeet_core.cli.media_files import media_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MKV", "z/c.flac", "z/.d.flac", ".e/f.mp3", "notes.txt", "done.mp4.vmeet/meeting.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "done.mp4.vmeet" / ".vmeet").mkdir()
    return tmp_path


def names(folder: Path, given: list[str], out: str | None = None) -> list[str]:
    found = media_files([folder / each for each in given], folder / out if out else None)
    return [str(file.shown.relative_to(folder)) for file in found.files]


def test_a_folder_in_the_order_of_names_without_what_is_hidden_or_ours(tree: Path) -> None:
    assert names(tree, ["."]) == ["a.MKV", "b.mp4", "z/c.flac"]
    assert media_files([tree], None).left_out == 1


def test_files_keep_the_order_in_which_they_were_given_and_come_once(tree: Path) -> None:
    assert names(tree, ["z", "b.mp4", "z/c.flac", "."]) == ["z/c.flac", "b.mp4", "a.MKV"]


def test_where_the_results_go(tree: Path) -> None:
    def results(given: list[str], out: str | None) -> list[str]:
        found = media_files([tree / each for each in given], tree / out if out else None)
        return [str(file.results.relative_to(tree)) for file in found.files]

    assert results(["b.mp4"], None) == ["b.mp4.vmeet"]
    assert results(["b.mp4"], "o") == ["o"]
    assert results(["b.mp4", "z/c.flac"], "o") == ["o/b.mp4.vmeet", "o/c.flac.vmeet"]
    assert results(["z"], "o") == ["o/c.flac.vmeet"]
    assert results(["z", "b.mp4"], "o") == ["o/z/c.flac.vmeet", "o/b.mp4.vmeet"]


def test_two_that_would_share_a_folder(tree: Path) -> None:
    (tree / "y").mkdir()
    (tree / "y/c.flac").write_bytes(b"x")
    found = media_files([tree / "z/c.flac", tree / "y/c.flac"], tree / "o")
    assert [file.shown.parent.name for file in found.files] == ["z"]
    assert "run it with another --out" in found.faults[0]


def test_faults_name_the_argument(tree: Path) -> None:
    (tree / "empty").mkdir()
    found = media_files([tree / "absent.mp4", tree / "empty"], None)
    assert found.files == []
    assert [fault.rpartition("/")[2] for fault in found.faults] == [
        "absent.mp4: no such file",
        "empty: holds no sound or video file",
    ]


def test_content_tells_where_the_name_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    write_opus(tmp_path / "s.mkv", 0.5, beep(0.1))
    (tmp_path / "s.mkv").rename(folder / "sound")
    (folder / "program.ts").write_text("const answer = 42;\n")
    (folder / "noise").write_bytes(bytes(range(256)) * 50)
    (folder / "archive").write_bytes(b"PK\x03\x04" + bytes(1000))
    assert names(folder, ["."]) == ["sound"]


def test_links_do_not_lead_in_circles(tree: Path) -> None:
    (tree / "z" / "up").symlink_to(tree, target_is_directory=True)
    assert names(tree, ["."]) == ["a.MKV", "b.mp4", "z/c.flac"]
