"""From a published source to the recording: whole frames, gaps, clocks and mutes."""

import time

from vmeet_core.manifest import Gap, SenderReport, SourceKind
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.recorder import Recorder
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.source import Source


class Tap:
    """Listens to one source for as long as the recording runs."""

    def __init__(self, recorder: Recorder, participant_id: str, source: SourceKind, tapped: Source) -> None:
        self._recorder = recorder
        self._participant_id = participant_id
        self._source = source
        self.tapped = tapped
        self._assembler = FrameAssembler(
            tapped.is_video, self._on_frame, self._on_gap, self._on_sender_report, tapped.request_keyframe
        )
        tapped.add_listener(self._assembler)
        tapped.request_keyframe()
        if tapped.last_sender_report is not None:
            self._on_sender_report(*tapped.last_sender_report)

    def _on_frame(self, frame: EncodedFrame) -> None:
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

    def close(self) -> None:
        """Listen no more."""
        self.tapped.remove_listener(self._assembler)
