"""The server's side of a worker process: start it, hand frames over, hear of it when it fails or hangs."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from vmeet_core.live.cost import Costs
from vmeet_core.live.dictation import Dictation
from vmeet_core.live.hang_watch import LONGEST_S, HangWatch
from vmeet_core.live.lateness import Lateness, Work
from vmeet_core.live.messages import Kind, LiveFrame, Message, Unpacker, pack
from vmeet_core.settings import Settings

logger = logging.getLogger(__name__)
MAX_WAITING_BYTES = 1 << 20  #: half a second of two full pictures; what would wait longer is dropped
READ_BYTES = 1 << 18
PING_S, HANG_S = 0.25, 1.0  #: without an answer for so long it is killed: a spare takes over within two seconds
LOAD_S = 120.0
KEYFRAME_EVERY_S = 0.5
MEMORY_BYTES = 4 << 30
STOP_S = 2.0

State = Literal["starting", "loading", "ready", "dead"]


class Track(NamedTuple):
    """What a worker is to do with somebody's picture or voice: filters with their options (of a voice: one denoiser),
    and for pictures the sizes as (height_px, bitrate_bps), and limits of the picture's shorter side and rate; 0: none.
    """

    filters: tuple[tuple[str, dict[str, Any]], ...]
    sizes: tuple[tuple[int, int], ...] = ()
    epoch: int = 0
    is_sound: bool = False
    max_height_px: int = 0
    max_fps: float = 0.0

    def with_options(self, name: str, options: dict[str, Any]) -> "Track":
        """The same with other options for one of its filters."""
        filters = tuple((each, options if each == name else old) for each, old in self.filters)
        return self._replace(filters=filters)


class Events:
    """What a worker tells; to be overridden. Nothing here may take long: it runs on the event loop."""

    def frame(self, track: int, frame: LiveFrame) -> None:
        """A filtered picture."""

    def keyframe_wanted(self, track: int) -> None:
        """The decoder cannot go on without one."""

    def fault(self, track: int, filter_name: str, text: str) -> None:
        """The track has ended; the others of this worker go on."""

    def dead(self, reason: str) -> None:
        """The worker is gone, and all its tracks. Called once."""


class LiveWorker:
    """``start`` it, ``load`` engines, then ``open`` tracks. ``state`` is "dead" for good once it has ended."""

    program = "vmeet_core.live.child"
    hang_s, longest_hang_s = HANG_S, LONGEST_S

    def __init__(self, events: Events, memory_bytes: int = MEMORY_BYTES) -> None:
        self.state: State = "starting"
        self.dropped = 0  #: frames that found no room, or came too late to be worth the work
        self.costs: Costs | None = None  #: as it has measured them once it is "ready", if it was to
        self.lateness = Lateness()
        self.heard_s = time.monotonic()
        self._events = events
        self._memory_bytes = memory_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._hang: HangWatch | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._frames = self._late = 0  # handed over; left out for want of time, apart from what waits for a keyframe
        self._blocked: set[int] = set()  # tracks that lost a frame: they go on at a keyframe
        self._asked_s: dict[int, float] = {}

    async def start(self) -> None:
        """Raises OSError when no process can be made, RuntimeError when it was closed before."""
        if self.state == "dead":
            raise RuntimeError("the worker was closed")
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self.program),
                *(str(theirs.fileno()), str(os.getpid()), str(self._memory_bytes)),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._spawn(self._read(reader))

    async def load(
        self,
        settings: Settings,
        frame_filters: Sequence[str] = (),
        denoisers: Sequence[str] = (),
        measure: bool = False,
    ) -> None:
        """Slow, and slower where it is to ``measure`` what they cost.

        Raises RuntimeError with the plugin's words when an engine cannot be loaded.
        """
        await self.load_named(settings, {"frame_filters": frame_filters, "denoisers": denoisers}, measure)

    async def load_named(self, settings: Settings, names: dict[str, Sequence[str]], measure: bool) -> None:
        """The same for any kinds of provider."""
        self.state = "loading" if self.state == "starting" else self.state
        wanted = {kind: list(each) for kind, each in names.items()}
        all_names = ", ".join(name for each in wanted.values() for name in each)
        self._send(Message(Kind.LOAD, 0, {"settings": settings.model_dump(mode="json"), **wanted, "measure": measure}))
        try:
            async with asyncio.timeout(LOAD_S):
                await asyncio.shield(self._loaded)
        except TimeoutError:
            self._die(f"its engines were not loaded within {LOAD_S:.0f} s")
            raise RuntimeError(f"{all_names}: not loaded in {LOAD_S:.0f} s") from None
        if self.state == "dead":
            raise RuntimeError("the worker ended as soon as it was there")
        self.state = "ready"
        self.heard_s = time.monotonic()
        self._spawn(self._watch())

    @property
    def process_id(self) -> int:
        """0 while there is no process."""
        return self._process.pid if self._process is not None else 0

    # ---- tracks ----

    def open(self, number: int, track: Track | Dictation) -> None:
        """Begin with a track, or begin it anew. ``number`` is above 0."""
        self._blocked.add(number)
        self._send(Message(Kind.OPEN, number, track._asdict()))

    def frame(self, number: int, frame: LiveFrame) -> bool:
        """Hand a frame over; False when it is dropped: for want of room, or since one before it was dropped."""
        if self._writer is None or self.state != "ready":
            return False
        full = self._writer.transport.get_write_buffer_size() > MAX_WAITING_BYTES
        self._frames += 1
        self._late += full
        if full or (number in self._blocked and not frame.keyframe):
            self._block(number)
            self.dropped += 1
            return False
        self._blocked.discard(number)
        self._send(Message(Kind.FRAME, number, frame._replace(sent_s=time.monotonic())))
        return True

    def _block(self, number: int) -> None:
        """What comes until the next keyframe depends on what was dropped."""
        now_s = time.monotonic()
        self._blocked.add(number)
        if now_s - self._asked_s.get(number, -1e9) >= KEYFRAME_EVERY_S:
            self._asked_s[number] = now_s
            self._events.keyframe_wanted(number)

    def update(self, number: int, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for a filter, from the next frame on."""
        self._send(Message(Kind.UPDATE, number, {"filter": filter_name, "options": options}))

    def request_keyframe(self, number: int) -> None:
        """The next picture that comes out can be decoded by itself."""
        self._send(Message(Kind.KEYFRAME, number, {}))

    def set_bitrate(self, number: int, size: int, bitrate_bps: int) -> None:
        """Of one of its sizes."""
        self._send(Message(Kind.BITRATE, number, {"size": size, "bitrate_bps": bitrate_bps}))

    def limit(self, number: int, max_height_px: int, max_fps: float) -> None:
        """Of a picture, from the next one on; 0: none."""
        self._send(Message(Kind.LIMIT, number, {"max_height_px": max_height_px, "max_fps": max_fps}))

    def close_track(self, number: int) -> None:
        """No more of it; harmless when it has ended already."""
        self._blocked.discard(number)
        self._asked_s.pop(number, None)
        self._send(Message(Kind.CLOSE, number, {}))

    def _send(self, message: Message) -> None:
        """What a worker that has just ended is told is lost: uvloop raises where asyncio only warns, and whoever hands
        a frame over does so while packets are read.
        """
        if self._writer is not None and self.state != "dead" and not self._writer.transport.is_closing():
            self._writer.write(pack(message))

    # ---- what it tells ----

    async def _read(self, reader: asyncio.StreamReader) -> None:
        unpacker = Unpacker()
        reason = "it ended"
        try:
            while data := await reader.read(READ_BYTES):
                for message in unpacker.feed(data):
                    self._hear(message)
        except (OSError, ValueError) as error:
            reason = f"it cannot be understood: {error}"
        self._die(reason)

    def _hear(self, message: Message) -> None:
        kind, track, body = message
        self.heard_s = time.monotonic()
        if self._hang is not None:
            self._hang.heard()
        if isinstance(body, LiveFrame):
            self._events.frame(track, body)
        elif kind is Kind.PONG:
            self.lateness.tell(Work(body["at_s"], body["busy_s"], self._frames, self._late, body["cpu_s"]))
        elif kind is Kind.LOADED and not self._loaded.done():
            self.costs = Costs.from_json(body["costs"]) if body["costs"] is not None else None
            self._loaded.set_result(None)
        elif kind is Kind.FAULT and not track and not self._loaded.done():
            self._loaded.set_exception(RuntimeError(str(body["text"])))
        elif kind is Kind.FAULT:
            self._events.fault(track, str(body["filter"]), str(body["text"]))
        elif kind is Kind.KEYFRAME:
            self._events.keyframe_wanted(track)
        elif kind is Kind.DROPPED:
            self.dropped += int(body["frames"])
            self._late += int(body["frames"])

    async def _watch(self) -> None:
        """A plugin that hangs answers nothing."""
        assert self._process is not None  # it has loaded something
        self._hang = HangWatch(self._process.pid, PING_S, self.longest_hang_s)
        while True:
            self._send(Message(Kind.PING, 0, {}))
            await asyncio.sleep(PING_S)
            if self._hang.look() > self.hang_s:
                self._die(f"it did not answer for {self.hang_s:.0f} s")
                return

    # ---- the end ----

    def _die(self, reason: str) -> None:
        if self.state == "dead":
            return
        self.state = "dead"
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._refuse_load(reason)
        if self._writer is not None:
            self._writer.close()
        logger.warning("a live worker is gone: %s", reason)
        self._events.dead(reason)

    def _refuse_load(self, reason: str) -> None:
        if not self._loaded.done():
            self._loaded.set_exception(RuntimeError(f"the worker died while it loaded: {reason}"))
            self._loaded.exception()  # nobody may be waiting

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End it in order, or for good when it does not listen; nothing is told any more."""
        self._events = Events()
        self.state = "dead"
        self._refuse_load("it was closed")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            try:
                async with asyncio.timeout(STOP_S):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
