"""Tests of the process that waits for the next step: real processes."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from processes import gone, is_running

from vmeet_core.pipeline.executors.spare import Spare
from vmeet_core.pipeline.process import end_process

READY_S = 30.0


@pytest.fixture
async def spare() -> AsyncIterator[Spare]:
    made = Spare()
    yield made
    await made.close()


async def waiting_pid(spare: Spare) -> int:
    """Of the one that waits, once it does."""
    async with asyncio.timeout(READY_S):
        while spare._process is None:
            await asyncio.sleep(0.01)
    return spare._process.pid


async def test_the_one_that_waits_is_given_to_who_comes_first(spare: Spare) -> None:
    spare.prepare()
    pid = await waiting_pid(spare)
    first, second = await asyncio.gather(spare.take(), spare.take())
    assert first.pid == pid
    assert second.pid != pid
    await asyncio.gather(end_process(first), end_process(second))


async def test_who_comes_while_it_starts_waits_for_it(spare: Spare) -> None:
    spare.prepare()
    process = await spare.take()
    assert spare._process is None
    assert is_running(process.pid)
    await end_process(process)


async def test_who_stops_waiting_leaves_it_to_the_next(spare: Spare) -> None:
    spare.prepare()
    asked = asyncio.create_task(spare.take())
    await asyncio.sleep(0)
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    pid = await waiting_pid(spare)
    process = await spare.take()
    assert process.pid == pid
    await end_process(process)


async def test_one_that_was_killed_is_given_to_nobody(spare: Spare) -> None:
    spare.prepare()
    pid = await waiting_pid(spare)
    os.kill(pid, signal.SIGKILL)
    assert spare._process is not None
    await spare._process.wait()
    process = await spare.take()
    assert process.pid != pid
    await end_process(process)


async def test_it_waits_for_a_while_only() -> None:
    spare = Spare(kept_s=0.3)
    began_s = time.monotonic()
    spare.prepare()
    pid = await waiting_pid(spare)
    await gone(pid)
    assert time.monotonic() - began_s >= 0.3
    process = await spare.take()
    await end_process(process)
    await spare.close()


async def test_none_is_left_at_the_end(spare: Spare) -> None:
    spare.prepare()
    await spare.close()
    spare.prepare()
    pid = await waiting_pid(spare)
    await spare.close()
    assert not is_running(pid)
    await spare.close()
