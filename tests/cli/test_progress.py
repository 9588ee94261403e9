"""Progress on a terminal and elsewhere."""

import os
import pty
import sys

from vmeet_core.cli.progress import Progress


def test_a_pipe_gets_a_few_lines(capfd):
    with Progress() as progress:
        for done in range(0, 101, 10):
            progress("model.onnx", done, 100)
        progress("wheel", 5, 0)
        progress("wheel", 10, 0)
    assert capfd.readouterr().err.splitlines() == [
        "model.onnx: fetching 100 bytes",
        *(f"model.onnx: {percent} %" for percent in (30, 50, 80, 100)),
        "wheel: fetching",
    ]


def test_a_terminal_gets_a_bar(monkeypatch):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress() as progress:
            progress("model.onnx", 0, 100)
            progress("model.onnx", 100, 100)
            progress("wheel", 5, 0)
        monkeypatch.undo()
        terminal.flush()
        shown = os.read(leader, 10_000).decode()
        while "wheel" not in shown:
            shown += os.read(leader, 10_000).decode()
    os.close(leader)
    assert "model.onnx: 100%|" in shown
