"""A place in a live worker, asked for when something comes: who is off or sends nothing takes none from others."""

import time
from collections.abc import Callable
from typing import Any

from vmeet_core.live.pool import LivePool, LiveTrack, NoRoom, TrackEvents
from vmeet_core.live.worker import Track

RETRY_S = 5.0  #: after so long a worker is asked for again where there was none, or no room


class WorkerPlace:
    """``events`` hears of what the worker makes. ``on_refusal(reason, no_room)`` is told each time that a place was
    asked for in vain, ``on_entry`` when one was found.
    """

    def __init__(
        self,
        pool: LivePool,
        events: TrackEvents,
        on_refusal: Callable[[str, bool], None],
        on_entry: Callable[[], None],
    ) -> None:
        self.track: LiveTrack | None = None  #: what a worker does now
        self.epoch = 0  #: of what it does, or did last: what comes of an earlier one is late
        self._wanted: Track | None = None
        self._pool = pool
        self._events = events
        self._on_refusal = on_refusal
        self._on_entry = on_entry
        self._retry_s = 0.0

    def want(self, track: Track) -> None:
        """What a worker is to do with what comes from now on."""
        self._wanted, self._retry_s = track, 0.0

    def give_up(self) -> None:
        """Want nothing more, and leave."""
        self._wanted = None
        self.leave()

    def take(self) -> LiveTrack | None:
        """The place, now that something has come; None where nothing is wanted, or there is none."""
        if self.track is None:
            self._ask()
        return self.track

    def _ask(self) -> None:
        """If that has not just been done in vain."""
        now_s = time.monotonic()
        if self._wanted is None or now_s < self._retry_s:
            return
        self.epoch += 1
        try:
            self.track = self._pool.open(self._wanted._replace(epoch=self.epoch), self._events)
        except RuntimeError as error:
            self._retry_s = now_s + RETRY_S
            self._on_refusal(str(error), isinstance(error, NoRoom))
            return
        self._on_entry()

    def leave(self) -> None:
        """Make room for others; it is asked for again when something comes."""
        track, self.track = self.track, None
        if track is not None:
            self._pool.close_track(track)

    def lose(self) -> None:
        """The worker has ended it for good: nothing is left to close, and nothing wanted."""
        self._wanted = self.track = None

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options, from the next picture or block on."""
        if self._wanted is not None:
            self._wanted = self._wanted.with_options(filter_name, options)
        if self.track is not None:
            self.track.update(filter_name, options)
