"""What waits for a transcriber: in order, bounded, and never too old."""

import threading

import numpy as np

from vmeet_core.live.dictation import Dictation
from vmeet_core.live.dictation_queue import LATE_S, MAX_PHRASES, Close, DictationQueue, Load, Write
from vmeet_core.live.dictation_track import Spoken

DICTATION = Dictation("zh", "traditional-tw")


def phrase(track: int, end_s: float = 100.0) -> Write:
    return Write(track, Spoken(np.zeros(10, np.float32), end_s - 1, end_s), DICTATION)


def now() -> float:
    return 100.0


def test_jobs_are_taken_in_order() -> None:
    dropped: list[int] = []
    queue = DictationQueue(dropped.append)
    jobs = [Load({}), phrase(1), phrase(2), Close(1)]
    for job in jobs:
        queue.put(job)
    assert [queue.take(now) is job for job in jobs] == [True] * 4
    assert dropped == []


def test_the_oldest_phrase_makes_room() -> None:
    dropped: list[int] = []
    queue = DictationQueue(dropped.append)
    queue.put(Close(99))
    for track in range(MAX_PHRASES + 2):
        queue.put(phrase(track))
    assert dropped == [0, 1]
    first, second = queue.take(now), queue.take(now)
    assert isinstance(first, Close), "nothing but phrases is left out"
    assert isinstance(second, Write)
    assert second.track == 2


def test_what_was_said_too_long_ago_is_left_out() -> None:
    dropped: list[int] = []
    queue = DictationQueue(dropped.append)
    queue.put(phrase(1, end_s=100 - LATE_S - 0.1))
    queue.put(phrase(2, end_s=100 - LATE_S + 0.1))
    taken = queue.take(now)
    assert isinstance(taken, Write)
    assert (taken.track, dropped) == (2, [1])


def test_whoever_waits_hears_of_the_next_job_and_of_the_end() -> None:
    queue = DictationQueue(lambda track: None)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.extend([queue.take(now), queue.take(now)]))
    thread.start()
    queue.put(Close(7))
    queue.close()
    thread.join(5)
    assert taken[-1] is None


def test_after_the_end_nothing_is_taken() -> None:
    queue = DictationQueue(lambda track: None)
    queue.put(phrase(1))
    queue.close()
    assert queue.take(now) is None
