"""Tests of how often changes are told."""

import asyncio
import time
from pathlib import Path

import pytest

from vmeet_core.pipeline.job import Job
from vmeet_core.pipeline.notifier import INTERVAL_S, Notifier
from vmeet_core.pipeline.views import JobView, ProcessRequest


def job() -> Job:
    return Job("j", "r", Path("/data"), ProcessRequest(), 0.0, [])


async def test_progress_is_gathered_and_states_are_told_at_once() -> None:
    told: list[tuple[float, str]] = []
    news = asyncio.Event()

    def on_change(view: JobView) -> None:
        told.append((time.monotonic(), view.state))
        news.set()

    notifier, one, began_s = Notifier(on_change), job(), time.monotonic()
    for _ in range(100):
        notifier.soon(one)
    assert told == []
    await asyncio.wait_for(news.wait(), 5)
    assert len(told) == 1
    assert told[0][0] - began_s >= INTERVAL_S * 0.9
    notifier.soon(one)
    one.state = "done"
    notifier.now(one)
    assert [state for _, state in told] == ["queued", "done"]
    await asyncio.sleep(INTERVAL_S * 1.5)  # nothing may come after
    assert len(told) == 2


async def test_a_listener_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def on_change(view: JobView) -> None:
        raise RuntimeError("the page is gone")

    Notifier(on_change).now(job())
    assert "the page is gone" in caplog.text


async def test_after_closing_nothing_is_told() -> None:
    told: list[JobView] = []
    notifier = Notifier(told.append)
    notifier.soon(job())
    notifier.close()
    await asyncio.sleep(INTERVAL_S * 1.5)
    assert told == []
