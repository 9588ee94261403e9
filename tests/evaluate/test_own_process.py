"""Work in a process of its own, and what is told when it dies."""

import os
import sys

import process_works
import pytest

from vmeet_core.evaluate.own_process import Died, in_own_process

Told = list[tuple[str, int, int]]


@pytest.fixture
def told() -> Told:
    return []


def test_result_and_progress_come_from_another_process(told: Told) -> None:
    pid, name, most = in_own_process(process_works.count, ("a", 2), lambda *args: told.append(args))
    assert (name, most) == ("a", 2)
    assert pid != os.getpid()
    assert told == [("a", 0, 2), ("a", 1, 2), ("a", 2, 2)]


def test_a_sudden_end_is_told(told: Told) -> None:
    with pytest.raises(Died, match="its process ended suddenly, with exit code 7"):
        in_own_process(process_works.end, (7,), lambda *args: told.append(args))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_signal_is_named(told: Told) -> None:
    with pytest.raises(Died, match="ended by SIGKILL"):
        in_own_process(process_works.kill, (), lambda *args: told.append(args))


def test_what_cannot_be_handed_over_is_told(told: Told) -> None:
    with pytest.raises(Died, match="no process can be started for it"):
        in_own_process(process_works.count, (lambda: None, 1), lambda *args: told.append(args))


def test_a_result_that_cannot_be_handed_back_is_told(
    told: Told,
) -> None:
    with pytest.raises(Died, match="with exit code 1"):
        in_own_process(process_works.give_a_lambda, (), lambda *args: told.append(args))


@pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")
def test_when_we_are_interrupted_the_process_has_ended() -> None:
    pids = []

    def interrupt(pid: str, done: int, total: int) -> None:
        pids.append(int(pid))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_own_process(process_works.wait, (), interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
