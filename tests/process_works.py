"""What the tests of processes let them do; a module that those processes can import."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

Progress = Callable[[str, int, int], None]


def count(name: str, most: int, progress: Progress) -> tuple[int, str, int]:
    for done in range(most + 1):
        progress(name, done, most)
    return os.getpid(), name, most


def end(code: int, progress: Progress) -> None:
    os._exit(code)


def kill(progress: Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait(progress: Progress) -> None:
    progress(str(os.getpid()), 0, 1)
    time.sleep(600)


def give_a_lambda(progress: Progress) -> Any:
    return lambda: None
