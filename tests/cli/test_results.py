"""Results side by side: whole or as before, whatever happens."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vmeet_core.cli.results import collect, tidied

RESULTS = {"audio:file": "results/j/audio-1-file.flac", "video": "results/j/meeting.mp4"}

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from vmeet_core.cli import results

def no_links(self, target):
    raise OSError(95, "Operation not supported")

def killed(source, target):
    Path(target).write_bytes(Path(source).read_bytes()[:3])
    os.kill(os.getpid(), signal.SIGKILL)

Path.hardlink_to = no_links
shutil.copy2 = killed
results.collect({"video": "results/j/meeting.mp4"}, Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "out" / ".vmeet"
    (work / "results/j").mkdir(parents=True)
    for path in RESULTS.values():
        (work / path).write_bytes(b"whole of " + path.encode())
    return work


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_under_plain_names_without_a_second_copy(work: Path) -> None:
    out = work.parent
    assert collect(RESULTS, work, out) == {"audio.flac": True, "meeting.mp4": True}
    assert (out / "meeting.mp4").samefile(work / RESULTS["video"])
    assert collect(RESULTS, work, out) == {"audio.flac": False, "meeting.mp4": False}
    assert names(out) == [".vmeet", "audio.flac", "meeting.mp4"]


def test_where_links_cannot_be_made_a_copy_is_made_once(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = work.parent
    copies: list[str] = []
    copy = shutil.copy2

    def refuse(self: Path, target: Path) -> None:
        raise OSError(95, "Operation not supported")

    def counted(source: Path, target: Path) -> None:
        copies.append(target.name)
        copy(source, target)

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr(shutil, "copy2", counted)
    assert all(collect(RESULTS, work, out).values())
    assert not any(collect(RESULTS, work, out).values())
    assert copies == [".audio.flac.part", ".meeting.mp4.part"]
    (work / RESULTS["video"]).write_bytes(b"of another run")
    assert collect(RESULTS, work, out) == {"audio.flac": False, "meeting.mp4": True}
    assert (out / "meeting.mp4").read_bytes() == b"of another run"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_in_the_middle_of_a_copy(work: Path) -> None:
    out = work.parent
    (out / "meeting.mp4").write_bytes(b"as before")
    done = subprocess.run([sys.executable, "-c", KILLED, work, out], timeout=60)
    assert done.returncode == -9
    assert (out / "meeting.mp4").read_bytes() == b"as before"
    assert names(out) == [".meeting.mp4.part", ".vmeet", "meeting.mp4"]
    collect(RESULTS, work, out)
    assert (out / "meeting.mp4").read_bytes() == b"whole of results/j/meeting.mp4"
    assert names(out) == [".vmeet", "audio.flac", "meeting.mp4"]


def test_a_full_disk_leaves_no_half_file(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr(shutil, "copy2", refuse)
    with pytest.raises(OSError, match="No space"):
        collect(RESULTS, work, work.parent)
    assert names(work.parent) == [".vmeet"]


def test_what_killed_steps_left_is_removed_by_the_one_that_holds_the_folder(work: Path) -> None:
    partial = work / "results/j/.2.partial"
    partial.mkdir()
    with tidied(work) as is_free:
        assert is_free
        assert not partial.exists()
        partial.mkdir()
        if sys.platform != "win32":
            with tidied(work) as is_free_too:
                assert not is_free_too
            assert partial.exists()
