"""What a transcriber has still to do: jobs in order, bounded. Who is too slow leaves out what is the oldest."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from vmeet_core.live.dictation import Dictation
from vmeet_core.live.dictation_track import Spoken

MAX_PHRASES = 16  #: that wait; of twelve seconds each they take 37 MB
LATE_S = 10.0  #: nobody wants to read what was said so long ago


class Load(NamedTuple):
    """The engine, as ``messages.Kind.LOAD`` says."""

    body: dict[str, Any]


class Write(NamedTuple):
    """Write a phrase of a track down."""

    track: int
    spoken: Spoken
    dictation: Dictation


class Close(NamedTuple):
    """Nothing more of a track."""

    track: int


Job = Load | Write | Close


class DictationQueue:
    """Filled by one thread, emptied by another. ``on_drop`` is told of each phrase that is left out, by its track."""

    def __init__(self, on_drop: Callable[[int], None]) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._on_drop = on_drop

    def put(self, job: Job) -> None:
        """Never waits: the oldest phrase makes room."""
        dropped = None
        with self._changed:
            if isinstance(job, Write) and sum(isinstance(each, Write) for each in self._jobs) >= MAX_PHRASES:
                index, dropped = next((i, each) for i, each in enumerate(self._jobs) if isinstance(each, Write))
                del self._jobs[index]
            self._jobs.append(job)
            self._changed.notify_all()
        if dropped is not None:
            self._on_drop(dropped.track)

    def take(self, now_s: Callable[[], float]) -> Job | None:
        """The next job; waits for one. What is too old by then is left out. None when it is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return None
                job = self._jobs.popleft()
            if not isinstance(job, Write) or now_s() - job.spoken.end_s <= LATE_S:
                return job
            self._on_drop(job.track)

    def close(self) -> None:
        """Nothing more is to be done, whatever still waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
