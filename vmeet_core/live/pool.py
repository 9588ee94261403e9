"""The workers of a server: tracks are spread over them, and a warm spare takes the place of one that dies."""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from typing import Any

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.worker import Events, LiveWorker, Track
from vmeet_core.settings import Settings

logger = logging.getLogger(__name__)
MAX_STRIKES, STRIKE_S = 3, 60.0  #: a track whose worker died so often within this time is given up
FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 30.0  #: between tries to start a worker
NO_WORKER = "no worker can take it: they are being started, or cannot be"


class TrackEvents:
    """What becomes of a track; to be overridden. Nothing here may take long: it runs on the event loop."""

    def frame(self, frame: LiveFrame) -> None:
        """A filtered picture."""

    def keyframe_wanted(self) -> None:
        """It cannot go on without a keyframe from the publisher."""

    def interrupted(self, reason: str) -> None:
        """Its worker has died. Another one goes on, from the next keyframe; until then nothing comes."""

    def failed(self, filter_name: str, reason: str) -> None:
        """It has ended, and nothing more comes. ``filter_name`` is "" where it was not a filter's fault."""


class LiveTrack:
    """Somebody's picture in the pool. Until ``close`` it survives the workers that it is given to."""

    def __init__(self, number: int, track: Track, events: TrackEvents) -> None:
        self.number = number
        self.track = track
        self.events = events
        self.worker: LiveWorker | None = None
        self.reduced = False
        self._strikes_s: list[float] = []

    def frame(self, frame: LiveFrame) -> bool:
        """Hand a frame over; False when it is dropped."""
        return self.worker is not None and self.worker.frame(self.number, frame)

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for a filter, from the next frame on, whichever worker it is in."""
        self.track = self.track.with_options(filter_name, options)
        if self.worker is not None:
            self.worker.update(self.number, filter_name, options)

    def request_keyframe(self) -> None:
        """The next picture can be decoded by itself."""
        if self.worker is not None:
            self.worker.request_keyframe(self.number)

    def set_bitrate(self, size: int, bitrate_bps: int) -> None:
        """Of one of its sizes."""
        if self.worker is not None:
            self.worker.set_bitrate(self.number, size, bitrate_bps)

    def enter(self, worker: LiveWorker) -> None:
        """Begin, or begin anew, in this worker."""
        self.worker = worker
        worker.open(self.number, self.track)
        self.events.keyframe_wanted()

    def strike(self, now_s: float) -> bool:
        """Its worker has died; whether that was once too often."""
        self._strikes_s = [at_s for at_s in self._strikes_s if now_s - at_s < STRIKE_S] + [now_s]
        return len(self._strikes_s) >= MAX_STRIKES


class LivePool:
    """``start`` it once; then ``open`` tracks. All workers load the same engines; give sound a pool of its own."""

    def __init__(
        self, settings: Settings, frame_filters: Sequence[str] = (), denoisers: Sequence[str] = (), workers: int = 1
    ) -> None:
        self._settings = settings
        self._frame_filters, self._denoisers = list(frame_filters), list(denoisers)
        self._wanted = workers + 1  # the spare
        self._workers: list[LiveWorker] = []
        self._tracks: dict[int, LiveTrack] = {}
        self._numbers = itertools.count(1)
        self._refilling: asyncio.Task[None] | None = None
        self._closed = False
        self.deaths = 0

    async def start(self) -> None:
        """Load everything. Raises RuntimeError with the plugin's words when an engine cannot be loaded."""
        try:
            await asyncio.gather(*(self._add() for _ in range(self._wanted)))
        except BaseException:
            await self.close()
            raise

    async def need(self, frame_filters: Sequence[str] = (), denoisers: Sequence[str] = ()) -> None:
        new = [n for n in frame_filters if n not in self._frame_filters] + [
            n for n in denoisers if n not in self._denoisers
        ]
        self._frame_filters += [n for n in frame_filters if n not in self._frame_filters]
        self._denoisers += [n for n in denoisers if n not in self._denoisers]
        if new and not self._workers:
            await self.start()

    async def _add(self) -> None:
        events = _WorkerEvents(self)
        worker = events.worker = LiveWorker(events)
        try:
            await worker.start()
            await worker.load(self._settings, self._frame_filters, self._denoisers)
        except BaseException:
            await worker.close()
            raise
        if self._closed:
            await worker.close()
        else:
            self._workers.append(worker)

    @property
    def ready(self) -> int:
        """How many workers can take tracks now, the spare included."""
        return sum(worker.state == "ready" for worker in self._workers)

    # ---- tracks ----

    def open(self, track: Track, events: TrackEvents) -> LiveTrack:
        """Begin with a track. Raises RuntimeError when there is no worker."""
        worker = self._least_busy()
        if worker is None:
            raise RuntimeError(NO_WORKER)
        made = LiveTrack(next(self._numbers), track, events)
        self._tracks[made.number] = made
        made.enter(worker)
        return made

    def close_track(self, track: LiveTrack) -> None:
        """No more of it; twice is harmless."""
        if self._tracks.pop(track.number, None) is not None and track.worker is not None:
            track.worker.close_track(track.number)
            track.worker = None

    def _least_busy(self) -> LiveWorker | None:
        """One stays spare while there are others."""
        ready = [worker for worker in self._workers if worker.state == "ready"]
        load = {worker: sum(track.worker is worker for track in self._tracks.values()) for worker in ready}
        idle = [worker for worker in ready if not load[worker]]
        choice = [worker for worker in ready if worker is not idle[-1]] if idle and len(ready) > 1 else ready
        return min(choice, key=lambda worker: load[worker], default=None)

    # ---- what workers tell ----

    def find(self, worker: LiveWorker, number: int) -> LiveTrack | None:
        """The track of this number, if it is in this worker."""
        track = self._tracks.get(number)
        return track if track is not None and track.worker is worker else None

    def fail(self, track: LiveTrack, filter_name: str, reason: str) -> None:
        """It has ended."""
        self._tracks.pop(track.number, None)
        track.worker = None
        track.events.failed(filter_name, reason)

    def lose(self, worker: LiveWorker, reason: str) -> None:
        """Its tracks go on in the spare."""
        self.deaths += 1
        if worker in self._workers:
            self._workers.remove(worker)
        now_s = time.monotonic()
        for track in [track for track in self._tracks.values() if track.worker is worker]:
            track.worker = None
            if track.strike(now_s):
                self.fail(track, "", f"its worker died {MAX_STRIKES} times: {reason}")
            else:
                track.events.interrupted(reason)
        self._place_homeless()
        self._refill()

    def _place_homeless(self) -> None:
        for track in [track for track in self._tracks.values() if track.worker is None]:
            ready = [worker for worker in self._workers if worker.state == "ready"]
            if ready:  # the spare is there for this
                track.enter(min(ready, key=lambda w: sum(t.worker is w for t in self._tracks.values())))

    def _refill(self) -> None:
        if self._refilling is None and not self._closed:
            self._refilling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        """Start workers until there are enough, with patience."""
        pause_s = FIRST_PAUSE_S
        try:
            while len(self._workers) < self._wanted and not self._closed:
                try:
                    await self._add()
                    pause_s = FIRST_PAUSE_S
                except (OSError, RuntimeError) as error:
                    logger.warning("a live worker cannot be started: %s", error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, MAX_PAUSE_S)
                self._place_homeless()
        finally:
            self._refilling = None

    async def close(self) -> None:
        """End all workers; tracks are told nothing any more."""
        self._closed = True
        self._tracks.clear()
        if self._refilling is not None:
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.close() for worker in workers))


class _WorkerEvents(Events):
    """From a worker's numbers to tracks."""

    worker: LiveWorker

    def __init__(self, pool: LivePool) -> None:
        self._pool = pool

    def frame(self, track: int, frame: LiveFrame) -> None:
        found = self._pool.find(self.worker, track)
        if found is not None and frame.epoch == found.track.epoch:
            found.events.frame(frame)

    def keyframe_wanted(self, track: int) -> None:
        found = self._pool.find(self.worker, track)
        if found is not None:
            found.events.keyframe_wanted()

    def fault(self, track: int, filter_name: str, text: str) -> None:
        found = self._pool.find(self.worker, track)
        if found is not None:
            self._pool.fail(found, filter_name, text)

    def dead(self, reason: str) -> None:
        self._pool.lose(self.worker, reason)
