"""The process that writes captions: ``python -m vmeet_core.live.caption_child FD PARENT_PID MEMORY_BYTES``, as
``child``. It is of its own, and of low priority: a transcriber takes a second for a phrase, and nobody's picture or
voice may wait for it.

One thread reads the socket, decodes voices and finds phrases; the main one has the transcriber write them down, one
after another. What is said is kept nowhere, and never comes into a log.
"""

import contextlib
import logging
import os
import select
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from vmeet_core.child_process import ORPHANED, be_nice, die_with_parent, limit_memory
from vmeet_core.hookspecs import Context, Retryable, Transcriber, TranscriberStream
from vmeet_core.live.dictation import Caption, Dictation
from vmeet_core.live.dictation_queue import Close, DictationQueue, Load, Write
from vmeet_core.live.dictation_track import DictationTrack, Spoken
from vmeet_core.live.messages import Kind, LiveFrame, Message, Unpacker, pack
from vmeet_core.live.sound_track import RATE_HZ
from vmeet_core.media.resampler import resample
from vmeet_core.media.script import in_script
from vmeet_core.media.writing import as_read, has_own_han
from vmeet_core.plugins import Registry, discover, load_provider
from vmeet_core.settings import Settings, validated

logger = logging.getLogger(__name__)
NICENESS = 5
READ_BYTES = 1 << 16
LONGEST_PHRASE_S = 12.0  #: nobody waits longer for the first word
LOOK_S = 0.1  #: between two looks at whether a voice has stopped
STUCK_S = 60.0  #: at one phrase: no other will be written down
STUCK = 4  #: exit code then
MAX_TEXT_CHARS = 2000
BEFORE_CHARS = 100  #: of the text before that a transcriber is told
BEFORE_S = 30.0  #: as long as it was said just before


class Line:
    """The socket, for both threads."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()

    def send(self, kind: Kind, track: int, body: dict[str, Any]) -> None:
        """Blocks while the server does not read. Raises OSError when it has gone."""
        with self._lock:
            self._sock.sendall(pack(Message(kind, track, body)))


class Scribe:
    """Does the jobs of ``queue``, in the main thread."""

    def __init__(self, line: Line, queue: DictationQueue) -> None:
        self.longest_s = LONGEST_PHRASE_S  #: of a phrase that the engine takes
        self.since_s: float | None = None  #: when it began with what it does now
        self._line = line
        self._queue = queue
        self._registry: Registry | None = None
        self._name = ""
        self._engine: Transcriber | None = None
        self._streams: dict[int, TranscriberStream] = {}
        self._before: dict[int, tuple[str, float]] = {}  # by track: what was said last, and until when
        self._refused: tuple[float, str] = (0.0, "")  # until when the transcriber is not to be asked again, and why
        self._folder = Path(tempfile.mkdtemp(prefix="vmeet-captions-"))

    def work(self) -> None:
        """Until the queue is closed. Raises OSError when the server has gone."""
        while (job := self._queue.take(time.monotonic)) is not None:
            if isinstance(job, Load):
                self._load(job.body)
            elif isinstance(job, Close):
                self._close(job.track)
            else:
                self.since_s = time.monotonic()
                self._write(job)
                self.since_s = None

    def _load(self, body: dict[str, Any]) -> None:
        try:
            settings = Settings.model_validate(body["settings"])
            self._registry = discover()
            (self._name,) = body["transcribers"]
            engine = load_provider(settings, self._registry, "transcribers", self._name, self._folder)
            in_script("预热", "traditional-tw")  # its tables are loaded before anybody waits for them
        except Exception as error:
            logger.exception("LOAD")
            self._line.send(Kind.FAULT, 0, {"filter": self._name, "text": _told(error)})
            return
        self._engine, self.longest_s = engine, min(LONGEST_PHRASE_S, engine.max_chunk_s)
        self._line.send(Kind.LOADED, 0, {"engines": [self._name], "costs": None})

    def _write(self, job: Write) -> None:
        """What goes wrong with a phrase is told, and costs that phrase alone, and those for as long as the transcriber
        asks to be left in peace: nobody would read them later.
        """
        until_s, reason = self._refused
        if time.monotonic() < until_s:
            self._line.send(Kind.FAULT, job.track, {"filter": self._name, "text": reason})
            return
        try:
            caption = self._caption(job)
        except Exception as error:
            if isinstance(error, Retryable):
                self._refused = time.monotonic() + error.after_s, _told(error)
            logger.warning("a phrase could not be written down: %s", type(error).__name__)  # the text may hold words
            self._line.send(Kind.FAULT, job.track, {"filter": self._name, "text": _told(error)})
            return
        self._line.send(Kind.CAPTION, job.track, caption._asdict())

    def _caption(self, job: Write) -> Caption:
        engine, spoken = self._engine, job.spoken
        if engine is None:
            raise RuntimeError("no transcriber is loaded")
        rate_hz = engine.sample_rate_hz
        audio = resample(spoken.audio, RATE_HZ, rate_hz)[: int(engine.max_chunk_s * rate_hz)]
        audio.flags.writeable = False
        before, until_s = self._before.get(job.track, ("", 0.0))
        before = before if spoken.start_s - until_s < BEFORE_S else ""
        stream = self._stream(job)
        segments = stream.transcribe(audio, job.dictation.language, Context(job.dictation.names, before))
        text = " ".join(" ".join(segment.text for segment in segments).split())
        language = segments[0].language if segments else job.dictation.language
        if text:
            self._before[job.track] = (f"{before} {text}".strip()[-BEFORE_CHARS:], spoken.end_s)
        return Caption(_written(text, language, before, job.dictation)[:MAX_TEXT_CHARS], language, *_times(spoken))

    def _stream(self, job: Write) -> TranscriberStream:
        if job.track not in self._streams:
            assert self._registry is not None  # there is an engine
            assert self._engine is not None
            options = self._registry.get("transcribers", self._name).options
            given = validated(options, job.dictation.options, f"options.{self._name}")
            self._streams[job.track] = self._engine.open(given)
        return self._streams[job.track]

    def _close(self, track: int) -> None:
        stream = self._streams.pop(track, None)
        self._before.pop(track, None)
        if stream is not None:
            with contextlib.suppress(Exception):  # it has done its work
                stream.close()

    def close(self) -> None:
        """Everything; errors are of no consequence any more."""
        for track in list(self._streams):
            self._close(track)
        if self._engine is not None:
            with contextlib.suppress(Exception):
                self._engine.close()
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_TEXT_CHARS]


def _times(spoken: Spoken) -> tuple[float, float]:
    return spoken.start_s, spoken.end_s


def _written(text: str, language: str, before: str, dictation: Dictation) -> str:
    """As it is to be read. Whether it is Simplified Chinese, what was said before tells, too."""
    if has_own_han(language):
        return text
    written = in_script(f"{before}\n{text}", dictation.script, dictation.names).rpartition("\n")[2]
    return as_read(written, dictation.numbers)


class Ear:
    """Reads the socket, in a thread of its own: voices become phrases here, for the scribe."""

    def __init__(self, sock: socket.socket, line: Line, queue: DictationQueue, scribe: Scribe) -> None:
        self._sock = sock
        self._line = line
        self._queue = queue
        self._scribe = scribe
        self._tracks: dict[int, DictationTrack] = {}
        self._dictations: dict[int, Dictation] = {}

    def listen(self) -> None:
        """Until the server closes its end."""
        unpacker = Unpacker()
        try:
            while True:
                readable, _, _ = select.select([self._sock], [], [], LOOK_S)
                if not readable:
                    self._look()
                    continue
                data = self._sock.recv(READ_BYTES)
                if not data:
                    break
                for message in unpacker.feed(data):
                    self._hear(message)
        except ValueError:
            logger.exception("the server cannot be understood")
        except OSError as error:  # it has gone, and does not read what it is sent
            logger.info("the server has gone: %s", error)
        self._queue.close()
        threading.Timer(1.0, os._exit, (ORPHANED,)).start()  # even when a plugin never returns

    def _hear(self, message: Message) -> None:
        kind, number, body = message
        if isinstance(body, LiveFrame):
            if number in self._tracks:
                self._pass(number, self._tracks[number].packet(body, time.monotonic()))
        elif kind is Kind.PING:
            self._answer()
        elif kind is Kind.LOAD:
            self._queue.put(Load(body))
        elif kind is Kind.OPEN:
            self._tracks[number] = DictationTrack(self._scribe.longest_s)
            self._dictations[number] = _dictation(body)
        elif kind is Kind.UPDATE and number in self._dictations:
            self._dictations[number] = _dictation(body)
        elif kind is Kind.CLOSE and number in self._tracks:
            del self._tracks[number], self._dictations[number]  # with what was being said: nobody asks for it any more
            self._queue.put(Close(number))

    def _answer(self) -> None:
        since_s = self._scribe.since_s
        if since_s is not None and time.monotonic() - since_s > STUCK_S:
            logger.error("the transcriber has been at one phrase for %.0f s", STUCK_S)
            os._exit(STUCK)
        self._line.send(Kind.PONG, 0, {"at_s": time.monotonic(), "busy_s": 0.0, "cpu_s": time.process_time()})

    def _look(self) -> None:
        for number, track in self._tracks.items():
            self._pass(number, track.pause(time.monotonic()))

    def _pass(self, number: int, spoken: list[Spoken]) -> None:
        for each in spoken:
            self._queue.put(Write(number, each, self._dictations[number]))


def _dictation(body: dict[str, Any]) -> Dictation:
    return Dictation(**{**body, "names": tuple(body["names"])})


def main() -> int:
    """0 when the server has closed its end."""
    descriptor, parent_pid, limit_bytes = (int(text) for text in sys.argv[1:4])
    die_with_parent(parent_pid)
    limit_memory(limit_bytes)
    os.dup2(2, 1)  # what a plugin prints goes to the log
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with socket.socket(fileno=descriptor) as sock:
        line = Line(sock)
        queue = DictationQueue(lambda track: line.send(Kind.DROPPED, track, {"frames": 1}))
        scribe = Scribe(line, queue)
        ear = Ear(sock, line, queue, scribe)
        threading.Thread(target=ear.listen, name="ear", daemon=True).start()
        be_nice(NICENESS)  # this thread and those that the transcriber starts: it is no load to listen
        try:
            scribe.work()
        except OSError:  # the server has gone
            return ORPHANED
        finally:
            scribe.close()
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # a plugin's threads are not waited for
