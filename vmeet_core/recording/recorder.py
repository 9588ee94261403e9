"""A running recording: frames and events are queued here and written by a thread of its own."""

import errno
import logging
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from vmeet_core.full_disk import is_full, reason
from vmeet_core.manifest import (
    MANIFEST_NAME,
    SEGMENTS,
    AnyEvent,
    Joined,
    Left,
    LeftOut,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    SourceKind,
    Started,
    Stopped,
    encode,
    part_of,
)
from vmeet_core.media.encoded import CLOCK_HZ, EncodedFrame
from vmeet_core.recording.journal import Journal
from vmeet_core.recording.segment import SegmentWriter

logger = logging.getLogger(__name__)
QUEUE_ITEMS = 8192
DISK_CHECK_S = 1.0
REPORT_EVERY_S = 10.0
REPORTS_AT_FIRST = 3
IDLE_S = 5.0  #: a file that gets nothing for so long is not kept open over a border

Track = tuple[str, SourceKind]  # participant id, source
_Item = tuple[str, SourceKind, EncodedFrame] | AnyEvent | None


class Recorder:
    """Writes ``folder/manifest.json`` and ``folder/segments/``.

    ``on_failure(reason)`` is called once, from the writing thread, when it had to stop by itself: a full disk, a
    disk with less than ``min_free_bytes``, or one too slow. What was written until then is kept.

    In a recording in parts (``Started.part_s``) every track goes on in a new file soon after each border, so that all
    files from before it are finished: sound at once, repeating what a decoder needs to settle; pictures at their next
    keyframe.
    Raises OSError when the folder cannot be made.
    """

    def __init__(self, folder: Path, started: Started, min_free_bytes: int, on_failure: Callable[[str], None]) -> None:
        self.folder = folder
        self.recording_id = started.recording_id
        self.started_at_s = started.at_s
        self._started = started
        self.ended_at_s = started.at_s
        self._min_free_bytes = min_free_bytes
        self._on_failure = on_failure
        self._queue: queue.Queue[_Item] = queue.Queue(QUEUE_ITEMS)
        self._tracks: dict[Track, SegmentWriter] = {}
        self._parts: dict[Track, int] = {}  # of the open files; also read on the event loop
        self._left_out: set[str] = set()
        self._count = 0
        self._failed = threading.Event()
        self._reports: dict[int, tuple[int, float]] = {}
        self._disk_checked_s = 0.0
        (folder / SEGMENTS).mkdir(parents=True)
        self._check_disk()
        self._journal = Journal(folder / MANIFEST_NAME)
        self._append(started)
        self._thread = threading.Thread(target=self._run, name=f"recording-{started.recording_id}", daemon=True)
        self._thread.start()

    # ---- called on the event loop: never blocks ----

    def frame(self, participant_id: str, source: SourceKind, frame: EncodedFrame) -> None:
        """A frame of a track; sound and picture of one track come in order."""
        self._put((participant_id, source, frame))

    def event(self, event: Joined | Left | Muted | LeftOut) -> None:
        """Somebody came, went, turned a source off or on, or is left out; that ends the segments concerned.

        Whoever hands in frames of a person who is left out has them dropped: nothing of that person is written.
        """
        self._put(event)

    def note(self, event: AnyEvent) -> None:
        """Anything else for the journal; sender reports are thinned out."""
        if not isinstance(event, SenderReport) or self._report_wanted(event):
            self._put(event)

    @property
    def part_s(self) -> float | None:
        """As in ``Started``."""
        return self._started.part_s

    def wants_keyframe(self, participant_id: str, source: SourceKind) -> bool:
        """Whether a picture track has no file of the present part, and gets one with its next keyframe."""
        return self._parts.get((participant_id, source), -1) < part_of(self._started, time.time())

    def _report_wanted(self, report: SenderReport) -> bool:
        count, last_s = self._reports.get(report.ssrc, (0, 0.0))
        if count >= REPORTS_AT_FIRST and report.at_s - last_s < REPORT_EVERY_S:
            return False
        self._reports[report.ssrc] = (count + 1, report.at_s)
        return True

    def _put(self, item: _Item) -> None:
        if self._failed.is_set():
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._fail("the disk is too slow for this meeting")

    def stop(self, reason: str) -> None:
        """End the recording and wait until everything is written: blocks, so call it in a thread."""
        items: tuple[_Item, ...] = (Stopped(at_s=time.time(), reason=reason), None)
        for item in items:
            while self._thread.is_alive() and not self._failed.is_set():
                try:
                    self._queue.put(item, timeout=0.1)
                    break
                except queue.Full:
                    continue
        self._thread.join()

    # ---- the writing thread ----

    def _run(self) -> None:
        while not self._failed.is_set():
            try:
                self._look_around_now_and_then()
                item = self._queue.get(timeout=DISK_CHECK_S)
                if item is None:
                    break
                self._write(item)
            except queue.Empty:
                continue
            except OSError as error:
                self._fail(reason(error) if is_full(error) else f"writing failed: {reason(error)}")
            except Exception:
                logger.exception("recording %s: a frame could not be written", self.recording_id)
        self._finish()

    def _write(self, item: tuple[str, SourceKind, EncodedFrame] | AnyEvent) -> None:
        if isinstance(item, tuple):
            self._write_frame((item[0], item[1]), item[2])
            return
        if isinstance(item, Left):
            self._end_tracks(lambda track: track[0] == item.participant_id)
        elif isinstance(item, Muted):
            self._end_tracks(lambda track: track == (item.participant_id, item.source))
        elif isinstance(item, LeftOut):
            self._end_tracks(lambda track: track[0] == item.participant_id)
            (self._left_out.add if item.left_out else self._left_out.discard)(item.participant_id)
        elif isinstance(item, Stopped):
            self._end_tracks(lambda track: True)
        self._append(item)

    def _write_frame(self, track: Track, frame: EncodedFrame) -> None:
        if track[0] in self._left_out:
            return
        writer = self._tracks.get(track)
        if writer is not None and not writer.continues(frame):
            self._end_track(track)
            writer = None
        if writer is None:
            if not frame.keyframe:
                return
            writer = self._start_segment(track, frame, ())
        elif frame.keyframe and part_of(self._started, writer.due_s(frame)) > self._parts[track]:
            frame, preroll = writer.opening(frame), writer.tail.before(frame) if writer.tail else ()
            self._end_track(track, writer.time_s(frame))
            writer = self._start_segment(track, frame, preroll)
        writer.write(frame)

    def _start_segment(self, track: Track, frame: EncodedFrame, preroll: tuple[EncodedFrame, ...]) -> SegmentWriter:
        """``preroll`` are the frames right before that one, to be repeated."""
        self._count += 1
        person = re.sub(r"[^A-Za-z0-9_-]", "_", track[0])
        name = f"{self._count:04d}-{person}-{track[1]}.mkv"
        writer = SegmentWriter(self.folder / SEGMENTS / name, preroll[0] if preroll else frame)
        self._tracks[track] = writer
        self._parts[track] = part_of(self._started, frame.wall_s)
        for each in preroll:
            writer.write(each)
        self._append(
            SegmentStarted(
                at_s=time.time(),
                participant_id=track[0],
                source=track[1],
                file=name,
                codec=frame.codec,
                clock_hz=CLOCK_HZ[frame.codec],
                ssrc=frame.ssrc,
                rtp=frame.rtp_timestamp,
                wall_s=frame.wall_s,
                preroll_s=writer.time_s(frame),
            )
        )
        return writer

    def _end_tracks(self, concerned: Callable[[Track], bool]) -> None:
        for track in [track for track in self._tracks if concerned(track)]:
            self._end_track(track)

    def _end_track(self, track: Track, until_s: float | None = None) -> None:
        """``until_s``: where in its file the next one goes on."""
        writer = self._tracks.pop(track)
        del self._parts[track]
        writer.close()
        duration_s = writer.duration_s if until_s is None else until_s
        self._append(SegmentEnded(at_s=time.time(), file=writer.path.name, frames=writer.frames, duration_s=duration_s))

    def _end_idle_tracks(self) -> None:
        """What comes no more without having been turned off, as from a page in the background, holds up no part."""
        now_s = time.monotonic()
        for track, writer in list(self._tracks.items()):
            idle_s = now_s - writer.written_s
            if idle_s > IDLE_S and part_of(self._started, writer.wall_s + idle_s) > self._parts[track]:
                self._end_track(track)

    def _append(self, event: AnyEvent) -> None:
        self._journal.append(encode(event))

    def _look_around_now_and_then(self) -> None:
        if time.monotonic() - self._disk_checked_s > DISK_CHECK_S:
            self._check_disk()
            if self._queue.empty():  # else what seems idle may just wait for the disk
                self._end_idle_tracks()

    def _check_disk(self) -> None:
        self._disk_checked_s = time.monotonic()
        free_bytes = shutil.disk_usage(self.folder).free
        if free_bytes < self._min_free_bytes:
            free, kept = free_bytes >> 20, self._min_free_bytes >> 20
            raise OSError(errno.ENOSPC, f"the disk is nearly full ({free} MiB free, {kept} MiB are kept free)")

    def _fail(self, reason: str) -> None:
        if not self._failed.is_set():
            self._failed.set()
            logger.error("recording %s stopped by itself: %s", self.recording_id, reason)
            self._on_failure(reason)

    def _finish(self) -> None:
        self.ended_at_s = time.time()
        self._close_everything()

    def _close_everything(self) -> None:
        """Close what is open, each by itself: on a full disk some of it may fail."""
        for action in (self._end_each, self._note_failure, self._journal.close):
            try:
                action()
            except OSError as error:
                logger.warning("recording %s: closing: %s", self.recording_id, error)

    def _end_each(self) -> None:
        for track in list(self._tracks):
            try:
                self._end_track(track)
            except OSError as error:
                logger.warning("recording %s: closing %s: %s", self.recording_id, track, error)

    def _note_failure(self) -> None:
        if self._failed.is_set():
            self._append(Stopped(at_s=time.time(), reason="stopped by itself"))
