"""Tests of the whole log of a step, and of a file that several share."""

import threading
from pathlib import Path

import pytest

from vmeet_core.pipeline.log_file import MAX_BYTES, MAX_LINE_BYTES, LogFile, LogSection


def test_a_log_goes_on_with_the_next_try(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "j" / "step.log"
    LogFile(path).write(b"first try\n")
    second = LogFile(path)
    second.write(b"second ")
    second.write("試\n".encode())
    assert path.read_text(encoding="utf-8") == "first try\nsecond 試\n"


def test_a_log_is_cut_where_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "step.log"
    for _ in range(3):
        log = LogFile(path)
        for _ in range(3):
            log.write(b"x" * (MAX_BYTES // 2 + 1))
    text = path.read_bytes()
    assert text.count(b"x") == MAX_BYTES
    assert text.count(b"the log is cut here") == 1
    assert len(text) < MAX_BYTES + 100


def test_a_disk_that_is_full_ends_the_log_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    log = LogFile(tmp_path / "logs" / "step.log")
    log.write(b"lost")
    log.write(b"lost, too")
    assert len(caplog.records) == 1
    assert (tmp_path / "logs").read_text() == "a file where the folder should be"


def test_lines_of_several_stand_under_their_headings(tmp_path: Path) -> None:
    path = tmp_path / "group.log"
    file = LogFile(path)
    one, two = LogSection(file, b"--- one ---\n"), LogSection(file, b"--- two ---\n")
    one.begin()
    one.write(b"a\nbe")
    two.write(b"x\n")
    one.write(b"gun\nlast")
    one.end()
    one.end()
    two.write(b"y\n")
    assert path.read_text() == "--- one ---\na\n--- two ---\nx\n--- one ---\nbegun\nlast\n--- two ---\ny\n"


def test_a_line_without_an_end_is_written_all_the_same(tmp_path: Path) -> None:
    section = LogSection(LogFile(tmp_path / "log"), b"-\n")
    for _ in range(3):
        section.write(b"x" * MAX_LINE_BYTES)
    assert (tmp_path / "log").stat().st_size > 2 * MAX_LINE_BYTES


def test_no_line_is_torn_when_several_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "group.log"
    file = LogFile(path)

    def work(name: str) -> None:
        section = LogSection(file, f"--- {name} ---\n".encode())
        for number in range(200):
            for piece in (f"{name} ", f"says {number}\n"):
                section.write(piece.encode())

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    section, said = "", []
    for line in path.read_text().splitlines():
        if line.startswith("---"):
            section = line.strip("- ")
        else:
            assert line.startswith(f"{section} says ")
            said.append(line)
    assert sorted(said) == sorted(f"{name} says {number}" for name in "abc" for number in range(200))
