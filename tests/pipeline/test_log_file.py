"""Tests of the whole log of a step."""

from pathlib import Path

import pytest

from vmeet_core.pipeline.log_file import MAX_BYTES, LogFile


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
