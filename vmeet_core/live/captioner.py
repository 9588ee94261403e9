"""One transcriber that writes down what is said in all meetings that want it, in a process of its own. One that dies is
started anew, with patience; meanwhile nothing is written down, and whoever asked for it is told.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from typing import Literal

from vmeet_core.live.caption_worker import CaptionEvents, CaptionWorker
from vmeet_core.live.dictation import Caption, Dictation
from vmeet_core.live.messages import LiveFrame
from vmeet_core.settings import Settings

logger = logging.getLogger(__name__)
FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 60.0  #: between tries to start the process
STABLE_S = 60.0  #: one that lived for so long is started anew at once

CaptionerState = Literal["starting", "on", "failed"]


class DictationEvents:
    """What is told of one voice; to be overridden."""

    def caption(self, caption: Caption) -> None:
        """A phrase was written down; its text may be ""."""

    def dropped(self) -> None:
        """A phrase was left out, since others waited too long."""

    def failed(self, reason: str) -> None:
        """A phrase could not be written down; the next one is tried again."""


class DictationLine:
    """A voice that is written down. ``packet`` takes what comes of it, from wherever it begins."""

    def __init__(self, captioner: "Captioner", number: int, dictation: Dictation, events: DictationEvents) -> None:
        self.dictation = dictation
        self.events = events
        self.number = number
        self._captioner = captioner

    def packet(self, frame: LiveFrame) -> None:
        """An Opus packet; lost while there is no process."""
        self._captioner.packet(self.number, frame)

    def change(self, dictation: Dictation) -> None:
        """For the phrases that end from now on."""
        if dictation != self.dictation:
            self.dictation = dictation
            self._captioner.change(self.number, dictation)

    def close(self) -> None:
        """No more; twice is harmless."""
        self._captioner.close_line(self)


class Captioner:
    """``start`` or ``begin`` it once; then ``open`` voices. ``listeners`` are called after each change of ``state``."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.name = name
        self.state: CaptionerState = "starting"
        self.reason = ""  #: why it has failed
        self.listeners: list[Callable[[], None]] = []
        self._settings = settings
        self._worker: CaptionWorker | None = None
        self._lines: dict[int, DictationLine] = {}
        self._numbers = itertools.count(1)
        self._keeping: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._closed = False

    async def start(self) -> None:
        """Load the transcriber. Raises RuntimeError with the plugin's words when that cannot be done."""
        try:
            await self._enter()
        except OSError as error:
            raise RuntimeError(str(error)) from error
        self._keep()

    def begin(self) -> None:
        """The same without waiting, and as often as it takes. Harmless when it has begun."""
        if self._keeping is None and not self._closed:
            self._keep()

    def _keep(self) -> None:
        self._keeping = asyncio.create_task(self._keep_running())

    async def _keep_running(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began_s = time.monotonic()
            try:
                if self._worker is None:
                    await self._enter()
                await self._ended.wait()
                await self._bury()
            except (OSError, RuntimeError) as error:
                self._fail(str(error))
            pause_s = FIRST_PAUSE_S if time.monotonic() - began_s > STABLE_S else pause_s
            logger.warning("captions by %s are not to be had: %s; another try in %g s", self.name, self.reason, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def _enter(self) -> None:
        """A process that has the transcriber loaded takes over all voices."""
        events = _WorkerEvents(self)
        worker = CaptionWorker(events)
        self._ended.clear()
        try:
            await worker.start()
            await worker.load_transcriber(self._settings, self.name)
        except BaseException:
            await worker.close()
            raise
        events.in_use = True
        self._worker = worker
        if worker.state == "dead":  # at this moment
            self.lose("the process ended as soon as it was there")
            return
        for line in self._lines.values():
            worker.open(line.number, line.dictation)
        self._set("on", "")

    async def _bury(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    def _set(self, state: CaptionerState, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            for listener in list(self.listeners):
                listener()

    def _fail(self, reason: str) -> None:
        self._set("failed", reason)

    @property
    def process_id(self) -> int:
        """0 while there is none."""
        return self._worker.process_id if self._worker is not None else 0

    # ---- voices ----

    def open(self, dictation: Dictation, events: DictationEvents) -> DictationLine:
        """From now on, or as soon as there is a process."""
        line = DictationLine(self, next(self._numbers), dictation, events)
        self._lines[line.number] = line
        if self._worker is not None:
            self._worker.open(line.number, dictation)
        return line

    def packet(self, number: int, frame: LiveFrame) -> None:
        """Of a line that is open."""
        if self._worker is not None and number in self._lines:
            self._worker.packet(number, frame)

    def change(self, number: int, dictation: Dictation) -> None:
        """Of a line."""
        if self._worker is not None and number in self._lines:
            self._worker.change(number, dictation)

    def close_line(self, line: DictationLine) -> None:
        """Harmless when it is closed."""
        if self._lines.pop(line.number, None) is not None and self._worker is not None:
            self._worker.close_track(line.number)

    # ---- what the process tells ----

    def find(self, number: int) -> DictationEvents:
        """Of a line that is closed nobody wants to hear."""
        line = self._lines.get(number)
        return line.events if line is not None else DictationEvents()

    def lose(self, reason: str) -> None:
        """The process has ended."""
        self._fail(reason)
        self._ended.set()

    async def close(self) -> None:
        """End it; nobody is told anything any more."""
        self._closed = True
        self.listeners.clear()
        self._lines.clear()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._bury()


class _WorkerEvents(CaptionEvents):
    """From the numbers of a process to voices."""

    def __init__(self, captioner: Captioner) -> None:
        self.in_use = False  #: before, whoever starts it is told by an error
        self._captioner = captioner

    def caption(self, track: int, caption: Caption) -> None:
        self._captioner.find(track).caption(caption)

    def dropped(self, track: int) -> None:
        self._captioner.find(track).dropped()

    def fault(self, track: int, filter_name: str, text: str) -> None:
        self._captioner.find(track).failed(text)

    def dead(self, reason: str) -> None:
        if self.in_use:
            self._captioner.lose(reason)
