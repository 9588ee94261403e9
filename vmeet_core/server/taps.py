"""From a published source to the recording: whole frames, gaps, clocks and mutes."""

import asyncio
import time

from vmeet_core.manifest import ROLL_AFTER_S, Gap, SenderReport, SourceKind
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.recorder import Recorder
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.source import Source

AFTER_BORDER_S = 0.1  #: so long after new files may begin, so that an answer is not too early for the recorder
ASK_AGAIN_S = 3.0
PAUSE_S = 3.0  #: less than the recorder's IDLE_S: what goes on after such a pause may need a keyframe


class Tap:
    """Listens to one source for as long as the recording runs.

    In a recording in parts it asks for a keyframe where one is needed to go on in a new file. Needs a running loop.
    """

    def __init__(self, recorder: Recorder, participant_id: str, source: SourceKind, tapped: Source) -> None:
        self._recorder = recorder
        self._participant_id = participant_id
        self._source = source
        self.tapped = tapped
        self._timer: asyncio.TimerHandle | None = None
        self._frame_s = time.time()
        self._assembler = FrameAssembler(
            tapped.is_video, self._on_frame, self._on_gap, self._on_sender_report, tapped.request_keyframe
        )
        tapped.add_listener(self._assembler)
        tapped.request_keyframe()
        if tapped.last_sender_report is not None:
            self._on_sender_report(*tapped.last_sender_report)
        self._wait_for_border()

    def _on_frame(self, frame: EncodedFrame) -> None:
        if self._timer is not None and not frame.keyframe and frame.wall_s - self._frame_s > PAUSE_S:
            self._look()
        self._frame_s = frame.wall_s
        self._recorder.frame(self._participant_id, self._source, frame)

    def _on_gap(self, before: int, after: int) -> None:
        self._recorder.note(
            Gap(
                at_s=time.time(),
                participant_id=self._participant_id,
                source=self._source,
                from_rtp=before,
                to_rtp=after,
            )
        )

    def _on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        if self.tapped.ssrc is None:
            return
        self._recorder.note(
            SenderReport(
                at_s=time.time(),
                participant_id=self._participant_id,
                source=self._source,
                ssrc=self.tapped.ssrc,
                ntp_s=ntp_timestamp / 2**32,
                rtp=rtp_timestamp,
            )
        )

    def _wait_for_border(self) -> None:
        part_s = self._recorder.part_s
        if not self.tapped.is_video or part_s is None:
            return
        past_s = time.time() - self._recorder.started_at_s - ROLL_AFTER_S
        self._look_after(part_s - past_s % part_s + AFTER_BORDER_S)

    def _look_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Nothing is asked of what is turned off: it begins with a keyframe when it is turned on."""
        if self.tapped.muted or not self._recorder.wants_keyframe(self._participant_id, self._source):
            self._wait_for_border()
            return
        self.tapped.request_keyframe()
        self._look_after(ASK_AGAIN_S)

    def close(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
        self.tapped.remove_listener(self._assembler)
