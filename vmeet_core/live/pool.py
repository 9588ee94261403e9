"""The workers of a server: tracks are spread over them as there is room, and a warm spare takes the place of one that
dies. Engines may be added later: then new workers take over from the old ones, since nothing is loaded in a process
that carries media.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from vmeet_core.live.admission import SHARE, NoRoom, Room, choose
from vmeet_core.live.cost import Cost
from vmeet_core.live.crew import Crew, Engines, close_all
from vmeet_core.live.live_track import MAX_STRIKES, LiveTrack, TrackEvents
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.worker import Events, LiveWorker, Track
from vmeet_core.settings import Settings

__all__ = ["MAX_STRIKES", "LivePool", "LiveTrack", "NoRoom", "Room", "TrackEvents"]

logger = logging.getLogger(__name__)
LOOK_S = 0.5  #: between two looks at who is late and what could be made full again
LATE_S = 1.5  #: a worker that is late for so long is relieved of something
FIRST_LATE_SHARE = 0.5  #: who was there before all others keeps its size until less than 15 a second are left
LATE_NO_ROOM_S = 5.0  #: so long after that it takes nobody in
TAKE_OVER_S = 2.0  #: a track whose keyframe has not come by then goes over to its new worker without one
TAKE_OVER_LOOKS = 40  #: within that time
NO_WORKER = "no worker can take it: they are being started, or cannot be"


class LivePool:
    """``start`` it once; then ``open`` tracks. All workers load the same engines; give sound a pool of its own.

    Without engines there is no process, until some are needed. ``workers`` is without the spare.
    """

    def __init__(
        self, settings: Settings, frame_filters: Sequence[str] = (), denoisers: Sequence[str] = (), workers: int = 1
    ) -> None:
        self._first = Engines().with_more(frame_filters, denoisers)
        self._crew = Crew(settings, workers + 1, self._new_worker, self._place_homeless)
        self._retiring: set[LiveWorker] = set()
        self._changing = asyncio.Lock()
        self._tracks: dict[int, LiveTrack] = {}
        self._numbers = itertools.count(1)
        self._tending = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._dropped_before = 0  # by workers that are gone
        self.deaths = 0

    async def start(self) -> None:
        """Load what was named. Raises RuntimeError with the plugin's words when an engine cannot be loaded."""
        try:
            await self.need(*self._first)
        except BaseException:
            await self.close()
            raise

    def _new_worker(self) -> LiveWorker:
        events = _WorkerEvents(self)
        events.worker = LiveWorker(events)
        return events.worker

    # ---- engines ----

    async def need(self, frame_filters: Iterable[str] = (), denoisers: Iterable[str] = ()) -> None:
        """See to it that these are loaded; slow where some are not, and nothing is interrupted meanwhile.

        Raises RuntimeError with the plugin's words when one cannot be loaded; the pool then stays as it was.
        """
        async with self._changing:
            engines = self._crew.engines.with_more(frame_filters, denoisers)
            if engines == self._crew.engines:
                return
            if self._crew.closed:
                raise RuntimeError("the pool is closed")
            self._take_on(await self._crew.train(engines, gently=bool(self._tracks)), engines)

    def _take_on(self, fresh: list[LiveWorker], engines: Engines) -> None:
        """Each track goes over at its next keyframe, from the old worker, which goes on until then, to a new one."""
        old = self._crew.replace(fresh, engines)
        self._retiring.update(old)
        for track in self._tracks.values():
            if track.worker is not None:
                self._move_in(track)
        self._place_homeless()
        self._spawn(self._retire(old))
        if not self._tending:
            self._tending = True
            self._spawn(self._tend())

    def _move_in(self, track: LiveTrack) -> None:
        """Who is in stays in, reduced where new figures want it so."""
        used = self._used(self._takers())
        worker, reduced = choose(used, self.cost(track.track)) or (min(used, key=lambda each: used[each]), True)
        track.move(worker, not track.track.is_sound and (reduced or track.reduced))

    async def _retire(self, old: list[LiveWorker]) -> None:
        for _ in range(TAKE_OVER_LOOKS):  # many tracks, each at its own keyframe
            if not any(track.worker in old for track in self._tracks.values()):
                break
            await asyncio.sleep(TAKE_OVER_S / TAKE_OVER_LOOKS)
        for track in [track for track in self._tracks.values() if track.worker in old]:
            track.take_over()
        self._place_homeless()
        self._dropped_before += sum(worker.dropped for worker in old if worker.state != "dead")
        await close_all(old)
        self._retiring.difference_update(old)

    # ---- figures ----

    @property
    def ready(self) -> int:
        """How many workers can take tracks now, the spare included."""
        return len(self._crew.ready)

    @property
    def process_ids(self) -> list[int]:
        """Of its workers, the spare included."""
        return [worker.process_id for worker in self._crew.workers]

    @property
    def room(self) -> Room:
        """How much of it is taken."""
        placed = [track for track in self._tracks.values() if track.home is not None]
        reduced = sum(track.reduced for track in placed)
        return Room(
            used=sum(self._share(track) for track in placed) / (SHARE * self._size),
            full=len(placed) - reduced,
            reduced=reduced,
            waiting=len(self._tracks) - len(placed),
            dropped=self._dropped_before + sum(worker.dropped for worker in self._crew.workers),
            deaths=self.deaths,
        )

    @property
    def _size(self) -> int:
        return max(self._crew.wanted - 1, 1)

    # ---- tracks ----

    def open(self, track: Track, events: TrackEvents) -> LiveTrack:
        """Begin with a track, reduced where there is no room for all of it, which ``events.limited`` tells.

        Raises RuntimeError when there is no worker, NoRoom when their time is spent.
        """
        if not self._takers():
            raise RuntimeError(NO_WORKER)
        made = LiveTrack(next(self._numbers), track, events)
        if not self._place(made):
            raise NoRoom(self._why_no_room(track))
        self._tracks[made.number] = made
        return made

    def _why_no_room(self, track: Track) -> str:
        what = "voice" if track.is_sound else "picture"
        return f"no room for another {what}: {len(self._tracks)} of them are all that {self._size} workers can do"

    def close_track(self, track: LiveTrack) -> None:
        """No more of it; twice is harmless."""
        if self._tracks.pop(track.number, None) is not None:
            track.leave()
            self._place_homeless()

    def _place(self, track: LiveTrack) -> bool:
        """Find it a worker; False where none has room."""
        # A voice costs little, and nobody raises it later: a busy moment must not leave it out for good.
        workers = self._takers() if track.track.is_sound else self._in_time()
        chosen = choose(self._used(workers), self.cost(track.track), may_reduce=not track.track.is_sound)
        if chosen is not None:
            worker, reduced = chosen
            track.limit(reduced)
            track.enter(worker)
        return chosen is not None

    def _place_homeless(self) -> None:
        for track in [track for track in self._tracks.values() if track.home is None]:
            self._place(track)

    def _takers(self) -> list[LiveWorker]:
        """Who may be given tracks: those that are ready. One stays spare while there are as many as there should be."""
        ready = self._crew.ready
        idle = [worker for worker in ready if not any(track.home is worker for track in self._tracks.values())]
        if idle and len(ready) >= self._crew.wanted:
            ready.remove(idle[-1])
        return ready

    def _in_time(self) -> list[LiveWorker]:
        """Those of them that keep up, or have nothing to do: the others have no room, whatever was expected."""
        now_s, busy = time.monotonic(), {track.home for track in self._tracks.values()}
        return [
            each
            for each in self._takers()
            if each not in busy or not each.lateness.was_late_within(LATE_NO_ROOM_S, now_s)
        ]

    def _used(self, workers: Iterable[LiveWorker], without: LiveTrack | None = None) -> dict[LiveWorker, float]:
        """The shares of their cores that they have given away, or that are taken in fact where that is more."""
        used = dict.fromkeys(workers, 0.0)
        for track in self._tracks.values():
            if track is not without and track.home is not None and track.home in used:
                used[track.home] += self._share(track)
        for worker, share in used.items():
            own = self._share(without) if without is not None and without.home is worker else 0.0
            if share:  # who has no tracks any more will have time in a moment
                used[worker] = max(share, worker.lateness.cpu_share - own)
        return used

    def cost(self, track: Track) -> Cost:
        """What it would take of a core, as measured."""
        names = [name for name, _ in track.filters]
        return self._crew.costs.sound(names) if track.is_sound else self._crew.costs.picture(names)

    def _share(self, track: LiveTrack) -> float:
        cost = self.cost(track.track)
        return cost.reduced if track.reduced else cost.full

    # ---- full or reduced ----

    async def _tend(self) -> None:
        """Costs are estimates, and people come and go."""
        while True:
            await asyncio.sleep(LOOK_S)
            for worker in self._crew.workers:
                if worker.lateness.late_s >= LATE_S:
                    self._relieve(worker)
            self._raise_one()

    def _relieve(self, worker: LiveWorker) -> None:
        """Reduce whoever came last: those before were there when there was room."""
        tracks = [track for track in self._tracks.values() if track.home is worker and not track.track.is_sound]
        full = [track for track in tracks if not track.reduced]
        if not full:
            return
        came_last = len(tracks) > 1 and full[-1] is tracks[-1]
        if not came_last and worker.lateness.share < FIRST_LATE_SHARE:
            return
        worker.lateness.begin_anew()
        logger.warning("a live worker is late with %d pictures: the newest one in full is reduced", len(tracks))
        full[-1].relieve()

    def _raise_one(self) -> None:
        """One at a time, the oldest first: whether there is room for another one shows when it has begun."""
        now_s = time.monotonic()
        for track in self._tracks.values():
            if track.home in self._crew.workers and track.coming is None and track.may_rise(now_s):
                used = self._used(self._in_time(), without=track)
                if self._rise(track, used):
                    return

    def _rise(self, track: LiveTrack, used: dict[LiveWorker, float]) -> bool:
        """Where it is, or else where there is room. ``used`` is without it."""
        cost, own = self.cost(track.track), track.worker
        if own in used and choose({own: used[own]}, cost, may_reduce=False):
            track.limit(False)
            return True
        chosen = choose({worker: share for worker, share in used.items() if worker is not own}, cost, may_reduce=False)
        if chosen is not None:
            track.move(chosen[0], reduced=False)
        return chosen is not None

    # ---- what workers tell ----

    def find(self, worker: LiveWorker, number: int) -> LiveTrack | None:
        """The track of this number, if its frames are in this worker."""
        track = self._tracks.get(number)
        return track if track is not None and track.worker is worker else None

    def find_coming(self, worker: LiveWorker, number: int) -> LiveTrack | None:
        """The track of this number, if it is in this worker or on its way there."""
        track = self._tracks.get(number)
        return track if track is not None and worker in (track.worker, track.coming) else None

    def fail(self, track: LiveTrack, filter_name: str, reason: str) -> None:
        """It has ended."""
        self._tracks.pop(track.number, None)
        track.leave()
        track.events.failed(filter_name, reason)

    def lose(self, worker: LiveWorker, reason: str) -> None:
        """Its tracks go on in the spare."""
        if worker not in self._crew.workers and worker not in self._retiring:
            return  # it never carried anything
        self.deaths += 1
        self._dropped_before += worker.dropped
        self._crew.lose(worker)
        self._retiring.add(worker)
        self._spawn(self._bury(worker))
        now_s = time.monotonic()
        for track in [track for track in self._tracks.values() if worker in (track.worker, track.coming)]:
            carried = track.worker is worker
            track.lose(worker)
            if carried and track.strike(now_s):
                self.fail(track, "", f"its worker died {MAX_STRIKES} times: {reason}")
            elif carried:
                track.events.interrupted(reason)
        self._place_homeless()

    async def _bury(self, worker: LiveWorker) -> None:
        await worker.close()
        self._retiring.discard(worker)

    # ---- the end ----

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all workers; tracks are told nothing any more."""
        self._tracks.clear()
        await self._crew.close()
        async with self._changing:  # whoever waits for engines has heard that there will be none
            tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await close_all(self._retiring)


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
        found = self._pool.find_coming(self.worker, track)
        if found is not None:
            self._pool.fail(found, filter_name, text)

    def dead(self, reason: str) -> None:
        self._pool.lose(self.worker, reason)
