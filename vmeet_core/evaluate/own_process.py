"""Work in a process of its own: what it takes of memory is its own, and what breaks it breaks nothing else."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Literal, TypeVar, cast

from vmeet_core.child_process import die_with_parent

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
Work = Callable[..., T]  # of the arguments, and a Progress
_Message = tuple[Literal["progress", "result"], Any]


class Died(Exception):
    """The process gave no result; the text says how it ended."""


def in_own_process(work: Callable[..., T], arguments: Sequence[Any], progress: Progress) -> T:
    """What ``work(*arguments, progress)`` gives; all of it is pickled. ``progress`` is called here.

    Raises Died; whatever else is raised here, the process has ended then.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, os.getpid(), work, tuple(arguments)))
    try:
        _start(process)
        theirs.close()
        return cast(T, _result(ours, progress))
    except EOFError:
        process.join()
        raise Died(_ending(process.exitcode)) from None
    finally:
        ours.close()
        if process.pid is not None:
            process.kill()
            process.join()


def _start(process: multiprocessing.process.BaseProcess) -> None:
    try:
        process.start()
    except Exception as error:  # pickling raises whatever the classes of the arguments raise
        raise Died(f"no process can be started for it: {type(error).__name__}: {error}") from error


def _result(pipe: Connection, progress: Progress) -> Any:
    while True:
        kind, content = cast(_Message, pipe.recv())
        if kind == "result":
            return content
        progress(*content)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name} (SIGKILL: memory may have run out)"
    return f"its process ended suddenly, with exit code {code}"


def _child(pipe: Connection, parent_pid: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    die_with_parent(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    pipe.send(("result", work(*arguments, lambda *told: pipe.send(("progress", told)))))
