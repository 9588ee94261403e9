"""A person who sends: a camera and a microphone as RTP, answering what the server asks for as a browser does."""

import random
import struct
import time
from array import array
from typing import Any

from aiortc import clock
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from forwarding_media import (
    AUDIO_CLOCK_HZ,
    AUDIO_INTERVAL_S,
    FPS,
    MAGIC,
    MARK,
    VIDEO_CLOCK_HZ,
    MarkedPictures,
    MarkedSound,
)
from forwarding_path import Coding, Path

RING = 1 << 15  #: of running numbers: two and a half minutes of a camera
HISTORY_PACKETS = 512
REPORT_S = 1.0
KEYFRAME_PAUSE_S = 0.3
SPEAKING_S = 5.0  #: people speak in turns of this length
LOUD, QUIET = 30, 100  #: in -dBov
_EXTENDED = struct.Struct("!BBHIIHHBBBB")


class Stream:
    """One SSRC: numbers packets, keeps the latest for retransmission. ``sent_ns`` is when each number left."""

    def __init__(self, path: Path, coding: Coding, source: int, marked: bool) -> None:
        self.source = source
        self.number = 0
        self.sent_ns = array("q", bytes(8 * RING))
        self.timestamp = random.getrandbits(32)
        self.octets = 0
        self._path = path
        self._coding = coding
        self._marked = marked
        self._sequence = random.getrandbits(15)
        self._rtx_sequence = random.getrandbits(15)
        self._history: dict[int, bytes] = {}

    @property
    def ssrc(self) -> int:
        """As the SDP announced it."""
        return self._coding.ssrc

    def send(self, payload: bytes, timestamp: int, marker: bool, extension: tuple[str, bytes]) -> None:
        """Number, mark, encrypt and send; the clock is read last."""
        number, slot = self.number, self.number % RING
        if self._marked:
            payload += MARK.pack(MAGIC, self.source, number)
        data = self._header(timestamp, marker, extension) + payload
        self._history[self._sequence] = data
        self._history.pop(self._sequence - HISTORY_PACKETS & 0xFFFF, None)
        self._sequence = self._sequence + 1 & 0xFFFF
        self.number, self.timestamp = number + 1, timestamp
        self.octets += len(payload)
        protected = self._path.protect(data)
        self.sent_ns[slot] = time.time_ns()
        self._path.send(protected)

    def _header(self, timestamp: int, marker: bool, extension: tuple[str, bytes]) -> bytes:
        """With one extension of one or three bytes; a server that did not take it gets the header without."""
        second = self._coding.payload_type | (0x80 if marker else 0)
        number, value = self._coding.extensions.get(extension[0], 0), extension[1]
        fixed = (second, self._sequence, timestamp & 0xFFFFFFFF, self._coding.ssrc)
        if not number:
            return struct.pack("!BBHII", 0x80, *fixed)
        return _EXTENDED.pack(0x90, *fixed, 0xBEDE, 1, number << 4 | len(value) - 1, *value.ljust(3, b"\0"))

    def resend(self, sequence: int) -> None:
        """As RTX (RFC 4588) where it was negotiated, else as it was."""
        data = self._history.get(sequence)
        if data is None:
            return
        if self._coding.rtx_payload_type is None:
            self._path.send(self._path.protect(data))
            return
        size = 20 if data[0] & 0x10 else 12
        second = self._coding.rtx_payload_type | (data[1] & 0x80)
        head = struct.pack("!BBH4sI", data[0], second, self._rtx_sequence, data[4:8], self._coding.rtx_ssrc)
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        body = head + data[12:size] + sequence.to_bytes(2) + data[size:]
        self._path.send(self._path.protect(body))

    def report(self) -> None:
        """A sender report."""
        info = RtcpSenderInfo(
            clock.current_ntp_time(), self.timestamp & 0xFFFFFFFF, self.number, self.octets & 0xFFFFFFFF
        )  # fmt: skip
        self._path.send_rtcp(bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=info)))


class SendingPerson:
    """Person number ``index`` of ``people``; sources are numbered 2 * index (camera) and 2 * index + 1 (microphone)."""

    def __init__(self, index: int, people: int, path: Path, pictures: Any = None, sound: Any = None) -> None:
        self.index = index
        self.path = path
        self.keyframes_asked = 0
        self._people = people
        self._pictures = pictures or MarkedPictures(index)
        self._sound = sound or MarkedSound(index)
        self.video = Stream(path, path.sending["video"], 2 * index, self._pictures.marked)
        self.audio = Stream(path, path.sending["audio"], 2 * index + 1, self._sound.marked)
        self._frames = self._packets = 0
        self._keyframe_wanted, self._keyframe_s = True, 0.0
        self._began_s: float | None = None
        self._report_s = 0.0
        path.on_rtcp = self._on_rtcp

    @property
    def streams(self) -> tuple[Stream, Stream]:
        return self.video, self.audio

    def pause(self) -> None:
        """After a pause the schedule starts anew: nothing is made up for."""
        self._began_s = None

    def tick(self, now_s: float) -> None:
        """Send what is due by now."""
        if self._began_s is None:
            self._began_s = now_s + self.index % self._people / (FPS * self._people)  # cameras do not run in step
            self._frames = self._packets = 0
        elapsed_s = now_s - self._began_s
        while self._frames <= elapsed_s * FPS:
            self._send_frame(now_s)
        while self._packets * AUDIO_INTERVAL_S <= elapsed_s:
            self._send_sound(now_s)
        if now_s - self._report_s >= REPORT_S:
            self._report_s = now_s
            for stream in self.streams:
                stream.report()

    def _send_frame(self, now_s: float) -> None:
        self._frames += 1
        timestamp = self.video.timestamp + VIDEO_CLOCK_HZ // FPS
        keyframe = self._keyframe_wanted and now_s - self._keyframe_s >= KEYFRAME_PAUSE_S
        if keyframe:
            self._keyframe_wanted, self._keyframe_s = False, now_s
        payloads = self._pictures.next_frame(keyframe)
        for index, payload in enumerate(payloads):
            stamp = (clock.current_ntp_time() >> 14 & 0xFFFFFF).to_bytes(3)
            self.video.send(payload, timestamp, index + 1 == len(payloads), ("abs-send-time", stamp))

    def _send_sound(self, now_s: float) -> None:
        self._packets += 1
        speaks = int(now_s / SPEAKING_S) % self._people == self.index % self._people
        level = bytes((0x80 | LOUD if speaks else QUIET,))
        timestamp = self.audio.timestamp + int(AUDIO_CLOCK_HZ * AUDIO_INTERVAL_S)
        self.audio.send(self._sound.next_packet(), timestamp, False, ("ssrc-audio-level", level))

    def _on_rtcp(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                stream = self.video if packet.media_ssrc == self.video.ssrc else self.audio
                for sequence in packet.lost:
                    stream.resend(sequence)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self.keyframes_asked += 1
                self._keyframe_wanted = True
