"""Whole frames from packets, in order: what the recording is fed with.

A frame is complete at its marker bit; waiting for the next timestamp would cost a frame time of latency.
"""

import time
from collections.abc import Callable
from typing import Literal, cast

from aiortc.codecs.h264 import h264_depayload

from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.sfu.codecs import CodecName, is_keyframe_start, parse_vp8
from vmeet_core.sfu.packet import RtpPacket, sequence_newer

MAX_WAIT_S = {True: 0.6, False: 0.2}  #: by whether it is video: how long a missing packet may still come
MAX_BUFFERED = 2048


class FrameAssembler:
    """Listens to an ingress. ``on_frame`` gets each frame once, in order.

    What stays missing is reported by ``on_gap`` (RTP timestamps before and after); a picture track then goes on at
    its next keyframe, for which ``request_keyframe`` asks.
    """

    def __init__(
        self,
        is_video: bool,
        on_frame: Callable[[EncodedFrame], None],
        on_gap: Callable[[int, int], None],
        on_sender_report: Callable[[int, int], None],
        request_keyframe: Callable[[], None],
    ) -> None:
        self._is_video = is_video
        self._on_frame = on_frame
        self._on_gap = on_gap
        self._on_sender_report = on_sender_report
        self._request_keyframe = request_keyframe
        self._next: int | None = None
        self._last_timestamp: int | None = None
        self._lost_after: int | None = None
        self._buffer: dict[int, tuple[RtpPacket, CodecName, float]] = {}

    def forward(self, packet: RtpPacket) -> None:
        """A packet of the source, in order of arrival."""
        codec, now_s = packet.codec, packet.arrived_s
        if self._next is None and not self._begin(packet, codec):
            return
        if self._next is not None and sequence_newer(self._next, packet.sequence):
            return
        self._buffer[packet.sequence] = (packet, codec, now_s)
        self._emit()
        self._give_up(now_s)

    def interrupt(self) -> None:
        """The source pauses: begin anew at its next keyframe."""
        self._next = None
        self._buffer.clear()
        self._last_timestamp = self._lost_after = None

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's clocks, for keeping people in step."""
        self._on_sender_report(ntp_timestamp, rtp_timestamp)

    def _begin(self, packet: RtpPacket, codec: CodecName) -> bool:
        if self._is_video and not is_keyframe_start(codec, packet.payload):
            self._request_keyframe()
            return False
        self._next = packet.sequence
        if self._lost_after is not None:
            self._on_gap(self._lost_after, packet.timestamp)
            self._lost_after = None
        return True

    def _emit(self) -> None:
        """Hand on every frame that is complete at the front of the buffer."""
        while self._next is not None:
            packets = self._front()
            if packets is None:
                return
            for packet, _, _ in packets:
                del self._buffer[packet.sequence]
            self._next = packets[-1][0].sequence + 1 & 0xFFFF
            self._deliver(packets)

    def _front(self) -> list[tuple[RtpPacket, CodecName, float]] | None:
        packets: list[tuple[RtpPacket, CodecName, float]] = []
        sequence = cast(int, self._next)
        while (item := self._buffer.get(sequence)) is not None:
            if packets and item[0].timestamp != packets[0][0].timestamp:
                return packets
            packets.append(item)
            if item[0].marker or not self._is_video or not item[0].payload:
                return packets
            sequence = sequence + 1 & 0xFFFF
        return None

    def _deliver(self, packets: list[tuple[RtpPacket, CodecName, float]]) -> None:
        first, codec, arrived_s = packets[0]
        try:
            data = b"".join(_depacketise(codec, packet.payload) for packet, _, _ in packets if packet.payload)
        except ValueError:
            self._lose()
            return
        if not data:
            return
        self._last_timestamp = first.timestamp
        name = cast(Literal["opus", "vp8", "h264"], codec)
        wall_s = time.time() - (time.monotonic() - arrived_s)
        keyframe = is_keyframe_start(codec, first.payload)
        self._on_frame(EncodedFrame(name, first.timestamp, data, keyframe, first.ssrc, wall_s))

    def _give_up(self, now_s: float) -> None:
        """Stop waiting for a packet that is too late, or for which too many others wait: also one that is missing in
        the middle of a frame.
        """
        behind = self._behind_gap()
        if not behind:
            return
        oldest_s = self._buffer[behind[0]][2]
        if now_s - oldest_s < MAX_WAIT_S[self._is_video] and len(self._buffer) < MAX_BUFFERED:
            return
        waiting = sorted(behind, key=lambda n: n - cast(int, self._next) & 0xFFFF)
        items = [self._buffer[sequence] for sequence in waiting]
        self._lose()
        for packet, codec, arrived_s in items:
            if self._next is not None or self._begin(packet, codec):
                self._buffer[packet.sequence] = (packet, codec, arrived_s)
        self._emit()

    def _behind_gap(self) -> list[int]:
        """What has come after a missing packet, in order of arrival; none while the frame in front is just coming."""
        if self._next is None or not self._buffer:
            return []
        gap, count = self._next, 0
        while gap in self._buffer:
            gap, count = gap + 1 & 0xFFFF, count + 1
        if count == len(self._buffer):
            return []
        return [sequence for sequence in self._buffer if sequence_newer(sequence, gap)]

    def _lose(self) -> None:
        self._lost_after = self._last_timestamp
        self._next = None
        self._buffer.clear()


def _depacketise(codec: CodecName, payload: bytes) -> bytes:
    if codec == "vp8":
        return payload[parse_vp8(payload).size :]
    if codec == "h264":
        return h264_depayload(payload)
    return payload
