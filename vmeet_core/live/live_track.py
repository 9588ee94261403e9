"""Somebody's picture or voice in the pool: it survives the workers that it is given to."""

import time
from typing import Any

from vmeet_core.live.cost import REDUCED_FPS, REDUCED_PX
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.worker import KEYFRAME_EVERY_S, LiveWorker, Track

REDUCED_BITRATE_BPS = 500_000  #: more does not make 360p at 15 pictures a second better
MAX_STRIKES, STRIKE_S = 3, 60.0  #: a track whose worker died so often within this time is given up
ROOM_PAUSE_S = 2.0  #: so long a track that found no room stays reduced at least
FIRST_LATE_PAUSE_S, MAX_LATE_PAUSE_S = 10.0, 320.0  #: and one whose worker came late: twice as long each time


class TrackEvents:
    """What becomes of a track; to be overridden. Nothing here may take long: it runs on the event loop."""

    def frame(self, frame: LiveFrame) -> None:
        """A filtered picture."""

    def keyframe_wanted(self) -> None:
        """It cannot go on without a keyframe from the publisher."""

    def limited(self, reduced: bool) -> None:
        """There is room for a small picture only (360p, 15 a second), or for all of it again."""

    def interrupted(self, reason: str) -> None:
        """Its worker has died. Another one goes on, from the next keyframe; until then nothing comes."""

    def failed(self, filter_name: str, reason: str) -> None:
        """It has ended, and nothing more comes. ``filter_name`` is "" where it was not a filter's fault."""


class LiveTrack:
    """``worker`` is where its frames go, ``coming`` where they will go from the next keyframe on."""

    def __init__(self, number: int, track: Track, events: TrackEvents) -> None:
        self.number = number
        self.track = track
        self.events = events
        self.reduced = False
        self.worker: LiveWorker | None = None
        self.coming: LiveWorker | None = None
        self._strikes_s: list[float] = []
        self._asked_s = 0.0
        self._may_rise_s = 0.0
        self._late_pause_s = FIRST_LATE_PAUSE_S

    @property
    def home(self) -> LiveWorker | None:
        """Where it belongs."""
        return self.coming or self.worker

    def frame(self, frame: LiveFrame) -> bool:
        """Hand a frame over; False when it is dropped."""
        if self.coming is not None:
            if frame.keyframe:
                self.take_over()
            elif time.monotonic() - self._asked_s >= KEYFRAME_EVERY_S:
                self._ask_for_keyframe()
        return self.worker is not None and self.worker.frame(self.number, frame)

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for a filter, from the next frame on, whichever worker it is in."""
        self.track = self.track.with_options(filter_name, options)
        for worker in self._workers():
            worker.update(self.number, filter_name, options)

    def request_keyframe(self) -> None:
        """The next picture can be decoded by itself."""
        if self.worker is not None:
            self.worker.request_keyframe(self.number)

    def set_bitrate(self, size: int, bitrate_bps: int) -> None:
        """Of one of its sizes."""
        sizes = list(self.track.sizes)
        sizes[size] = (sizes[size][0], bitrate_bps)
        self.track = self.track._replace(sizes=tuple(sizes))
        for worker in self._workers():
            worker.set_bitrate(self.number, size, self._given.sizes[size][1])

    # ---- from worker to worker ----

    def enter(self, worker: LiveWorker) -> None:
        """Begin, or begin anew, in this worker."""
        self.leave()
        self.worker = worker
        worker.open(self.number, self._given)
        self._ask_for_keyframe()

    def move(self, worker: LiveWorker, reduced: bool) -> None:
        """Go over to this worker at the next keyframe, full or reduced; until then the one that it is in goes on."""
        if self.coming is not None:
            self.coming.close_track(self.number)
        self.coming = worker
        told = self.reduced != reduced
        self._set_reduced(reduced)
        worker.open(self.number, self._given)
        self._ask_for_keyframe()
        if told:
            self.events.limited(reduced)

    def take_over(self) -> None:
        """Where it was to go it is from now on."""
        if self.worker is not None:
            self.worker.close_track(self.number)
        self.worker, self.coming = self.coming, None

    def lose(self, worker: LiveWorker) -> None:
        """This worker does nothing for it any more."""
        if worker is self.worker:
            self.worker, self.coming = self.coming, None
        elif worker is self.coming:
            self.coming = None
            self._tell_limits()

    def leave(self) -> None:
        """Be in no worker."""
        for worker in self._workers():
            worker.close_track(self.number)
        self.worker = self.coming = None

    def strike(self, now_s: float) -> bool:
        """Its worker has died; whether that was once too often."""
        self._strikes_s = [at_s for at_s in self._strikes_s if now_s - at_s < STRIKE_S] + [now_s]
        return len(self._strikes_s) >= MAX_STRIKES

    # ---- full or reduced ----

    def limit(self, reduced: bool) -> None:
        """Make a small picture only, or all of it; where it runs already this takes effect at the next picture."""
        if reduced == self.reduced:
            return
        self._set_reduced(reduced)
        self._tell_limits()
        self.events.limited(reduced)

    def _set_reduced(self, reduced: bool) -> None:
        self.reduced = reduced
        self._may_rise_s = time.monotonic() + ROOM_PAUSE_S

    def _tell_limits(self) -> None:
        given = self._given
        for worker in self._workers():
            worker.limit(self.number, given.max_height_px, given.max_fps)
            for size, (_, bitrate_bps) in enumerate(given.sizes):
                worker.set_bitrate(self.number, size, bitrate_bps)
            worker.request_keyframe(self.number)

    def relieve(self) -> None:
        """Reduce it since its worker came late; each time it stays so for longer, lest it goes up and down."""
        self.limit(True)
        self._may_rise_s = time.monotonic() + self._late_pause_s
        self._late_pause_s = min(2 * self._late_pause_s, MAX_LATE_PAUSE_S)

    def may_rise(self, now_s: float) -> bool:
        """Whether it may be made full again, where there is room."""
        return self.reduced and now_s >= self._may_rise_s

    @property
    def _given(self) -> Track:
        """What a worker is told."""
        if not self.reduced:
            return self.track
        sizes = tuple((height_px, min(bitrate_bps, REDUCED_BITRATE_BPS)) for height_px, bitrate_bps in self.track.sizes)
        return self.track._replace(sizes=sizes, max_height_px=REDUCED_PX, max_fps=REDUCED_FPS)

    def _workers(self) -> list[LiveWorker]:
        return [worker for worker in (self.worker, self.coming) if worker is not None]

    def _ask_for_keyframe(self) -> None:
        self._asked_s = time.monotonic()
        self.events.keyframe_wanted()
