"""How often and how long a service is asked: tries with a limit each, waits between them that double, and an end."""

import logging
import random
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

from vmeet_core.hookspecs import Retryable

T = TypeVar("T")
_LONGEST_WAIT_S = 20.0
_LATER_S = 30.0  # until the core should have the part tried again, where the service says nothing


class Patience(NamedTuple):
    """One call ends at most ``give_up_after_s`` + ``try_timeout_s`` after it began."""

    try_timeout_s: float
    give_up_after_s: float
    first_wait_s: float

    def ask(self, attempt: Callable[[], T], closed: threading.Event, logger: logging.Logger) -> T:
        """What ``attempt`` gives. It raises Retryable, with ``after_s`` as the service asks (0: it does not say).

        Raises what ``attempt`` raises; Retryable once there is no time for another try, or when ``closed`` is set.
        """
        begun_s, wait_s, tries = time.monotonic(), self.first_wait_s, 0
        while True:
            tries += 1
            try:
                return attempt()
            except Retryable as error:
                fault = error
            pause_s = max(fault.after_s, wait_s * random.uniform(0.75, 1.25))
            taken_s = time.monotonic() - begun_s
            if taken_s + pause_s > self.give_up_after_s:
                message = f"{fault} (tried {_times(tries)} in {taken_s:.0f} s)"
                raise Retryable(message, fault.after_s or _LATER_S)
            logger.warning("%s (try %d; another in %.1f s)", fault, tries, pause_s)
            if closed.wait(pause_s):
                raise Retryable("the transcriber was closed while it waited for another try", 0.0)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def within(timeout_s: float, call: Callable[[], T]) -> T:
    """What ``call`` gives or raises. Raises TimeoutError after ``timeout_s``, whatever it waits for.

    For libraries whose limits hold for each packet that comes, so that a slow one keeps them for ever. A thread that
    still waits is left behind: it keeps nothing alive.
    """
    endings: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            endings.put((call(), None))
        except BaseException as error:
            endings.put((None, error))

    threading.Thread(target=work, name="google-call", daemon=True).start()
    try:
        given, error = endings.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError(f"no answer in {timeout_s:g} s") from None
    if error is not None:
        raise error
    return given  # type: ignore[return-value]


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"
