"""Tests of a journal on a disk that gets full."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vmeet_core.recording.journal import Journal


def test_lines_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    for line in (b"first\n", b"second\n"):
        journal = Journal(path)
        journal.append(line)
        journal.close()
        journal.close()
    assert path.read_bytes() == b"first\nsecond\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_a_line_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """A real refusal of the kernel, which takes a part of the line first: the file size limit of a process."""
    program = f"""
        import pathlib, resource, signal
        from vmeet_core.recording.journal import Journal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(pathlib.Path({str(tmp_path / "manifest.json")!r}))
        journal.append(b"x" * 50 + b"\\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (70, 70))
        try:
            journal.append(b"y" * 50 + b"\\n")
        except OSError:
            journal.append(b"short\\n")
            print("refused")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, capture_output=True)
    assert done.stdout == b"refused\n"
    assert (tmp_path / "manifest.json").read_bytes() == b"x" * 50 + b"\nshort\n"
