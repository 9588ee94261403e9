"""A process that is asked one thing."""

import asyncio
import os
from pathlib import Path

import pytest
from processes import appeared, gone

from vmeet_core.asked_process import answer_of

ECHO = """
import pathlib, sys
print(sys.argv[1:], sys.stdin.read())
sys.exit(7)
"""
SLEEPS = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[2] + ".part").write_text(str(os.getpid()))
os.rename(sys.argv[2] + ".part", sys.argv[2])
time.sleep(600)
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "echoes.py").write_text(ECHO)
    (tmp_path / "sleeps.py").write_text(SLEEPS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


async def test_it_gets_what_is_given_and_answers(modules: Path) -> None:
    code, out = await answer_of("echoes", "a b", given="早".encode(), most_s=60.0)
    assert (code, out.decode().strip()) == (7, f"['{os.getpid()}', 'a b'] 早")


async def test_it_is_gone_when_nobody_waits_any_more(modules: Path) -> None:
    asking = asyncio.create_task(answer_of("sleeps", str(modules / "pid"), most_s=60.0))
    await appeared(modules / "pid")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gone(int((modules / "pid").read_text()))


async def test_it_is_gone_when_it_takes_too_long(modules: Path) -> None:
    with pytest.raises(TimeoutError):
        await answer_of("sleeps", str(modules / "pid"), most_s=6.0)
    await gone(int((modules / "pid").read_text()))
