"""Tests of the progress of steps in a terminal and without one."""

import io
from typing import Any

import pytest

from vmeet_core.cli.step_bars import StepBars
from vmeet_core.pipeline.views import JobView, ProcessRequest, StepView


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(**states: Any) -> JobView:
    steps = [
        StepView(
            name=name,
            title=name.title(),
            state=state,
            progress=1.0 if state == "done" else 0.4,
            seconds=seconds,
            error=None,
            log_tail=[],
        )
        for name, (state, seconds) in states.items()
    ]
    return JobView(
        id="j", recording_id="r", state="running", created_at_s=0, request=ProcessRequest(), steps=steps, results={}
    )


def test_without_a_terminal_each_step_that_ends_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    bars = StepBars("a.mp4")
    bars.show(job(mix=("running", None), join=("queued", None)))
    for _ in range(3):
        bars.show(job(mix=("done", 1.24), join=("done", 0.0)))
    bars.close()
    assert capsys.readouterr().err.splitlines() == ["a.mp4: Mix: done (1.2 s)", "a.mp4: Join: done (done before)"]


def test_a_terminal_shows_a_bar_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bars = StepBars("a.mp4")
    bars.show(job(mix=("running", None), join=("queued", None)))
    assert " 40%" in terminal.getvalue()
    assert "Join" not in terminal.getvalue()
    bars.show(job(mix=("done", 1.0), join=("running", None)))
    assert "100%" in terminal.getvalue()
    assert "Join" in terminal.getvalue()
    bars.close()
    bars.close()
