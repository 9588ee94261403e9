"""A picture or sound that receivers' slots can be switched to: what came from a publisher, or was made of it."""

from abc import ABC, abstractmethod
from typing import Protocol

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu.packet import RtpPacket, sequence_newer
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.sent_packets import WIRE_BYTES
from vmeet_core.sfu.statistics import RateMeter

RING_PACKETS = 1024
FLOWING_S = 3.0  #: a shared screen that does not change still sends about once a second
TEMPORAL_LAYERS = 5  #: as many as a VP8 payload descriptor can tell, and one for padding
LAYER_WINDOW_S = 2.0  #: of layers' bit rates: a keyframe must not look like a layer that has grown
HEADER_BYTES = 20 + WIRE_BYTES  #: what a packet costs a receiver besides its payload


class Listener(Protocol):
    """What a source feeds: an egress, the recording, or a worker that filters it."""

    def forward(self, packet: RtpPacket) -> None:
        """A packet, once, in order of arrival, prepared."""

    def interrupt(self) -> None:
        """The source pauses here: what follows does not continue what was."""

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's clocks."""


class Source(ABC):
    """Keeps its latest packets for retransmissions, and knows what its layers take.

    ``clock`` is that of its publisher: sources of one publisher can follow each other by the time of capture.
    Those of one ``timeline`` even count their RTP timestamps alike: one was made of the other.
    """

    def __init__(self, source: SourceKind, clock: PublisherClock) -> None:
        self.source = source
        self.is_video = source != "microphone"
        self.ssrc: int | None = None
        self.clock = clock
        self.timeline = object()
        self.muted = False
        self.keyframe_sequence: int | None = None  #: where the latest keyframe begins
        self.height_px = 0  #: of the latest keyframe; 0 when unknown
        self.last_sender_report: tuple[int, int] | None = None
        self.heard_s = -1e9  #: when the latest packet came
        self._listeners: list[Listener] = []
        self._shielded = False
        self._private: Listener | None = None
        self._ring: list[RtpPacket | None] = [None] * RING_PACKETS
        self._layer_bytes = [0] * TEMPORAL_LAYERS
        self._meters = [RateMeter(LAYER_WINDOW_S) for _ in range(TEMPORAL_LAYERS)]
        self._layer_bps = [0.0] * TEMPORAL_LAYERS

    # ---- listeners ----

    def add_listener(self, listener: Listener) -> None:
        """Begins at the next packet; a video listener that needs a keyframe asks for one."""
        self._listeners = [*self._listeners, listener]

    def remove_listener(self, listener: Listener) -> None:
        """Harmless when it was not there."""
        self._listeners = [each for each in self._listeners if each is not listener]

    def set_muted(self, muted: bool) -> None:
        """Nothing of a muted source goes anywhere, whatever still comes."""
        if muted and not self.muted:
            self._ring = [None] * RING_PACKETS
            self._interrupt()
        self.muted = muted

    def shield(self, private: Listener | None) -> None:
        """From this moment on nobody gets anything of it but ``private``, not even what was sent before, by a
        retransmission. Listeners keep their place for when ``unshield`` is called.
        """
        if not self._shielded:
            self._interrupt()
        self._shielded, self._private = True, private

    def unshield(self) -> None:
        """Everybody gets it again, from the next keyframe on. Harmless when it is not shielded."""
        if self._shielded:
            self._ring = [None] * RING_PACKETS
            self._shielded, self._private = False, None
            self.request_keyframe()

    @property
    def is_shielded(self) -> bool:
        """Whether it is kept from everybody."""
        return self._shielded

    def _interrupt(self) -> None:
        for listener in self._listeners if not self._shielded else self._those_private():
            listener.interrupt()

    def _those_private(self) -> list[Listener]:
        return [self._private] if self._private is not None else []

    def _hand_on(self, packet: RtpPacket) -> None:
        """To everybody; ``packet`` is prepared."""
        self._layer_bytes[packet.temporal] += len(packet.payload) + HEADER_BYTES
        self._ring[packet.sequence % RING_PACKETS] = packet
        for listener in self._listeners if not self._shielded else self._those_private():
            listener.forward(packet)

    def _tell_clocks(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's, to everybody, for lip sync."""
        self.last_sender_report = (ntp_timestamp, rtp_timestamp)
        for listener in self._listeners:
            listener.sender_report(ntp_timestamp, rtp_timestamp)

    def _note_keyframe(self, packet: RtpPacket) -> None:
        if self.keyframe_sequence is None or sequence_newer(packet.sequence, self.keyframe_sequence):
            self.keyframe_sequence = packet.sequence

    @abstractmethod
    def request_keyframe(self) -> None:
        """Ask for a picture that decoding can begin with; too many requests become one."""

    def packet(self, sequence: int) -> RtpPacket | None:
        """One of the last RING_PACKETS packets, for a retransmission; None of what is shielded."""
        packet = self._ring[sequence % RING_PACKETS]
        return packet if packet is not None and packet.sequence == sequence and not self._shielded else None

    def level_of(self, packet: RtpPacket) -> bytes | None:
        """The audio-level extension of one of its packets, as it came (RFC 6464)."""
        return None

    # ---- figures ----

    def measure(self, now_s: float) -> None:
        """Bring the bit rates up to date; to be called several times a second."""
        self._layer_bps = [
            meter.bps(count, now_s) for meter, count in zip(self._meters, self._layer_bytes, strict=True)
        ]

    def layer_bps(self, temporal: int) -> float:
        """What the temporal layers 0 to ``temporal`` together take on the wire to a receiver."""
        return sum(self._layer_bps[: temporal + 1])

    @property
    def temporal_layers(self) -> int:
        """How many temporal layers carry something; at least 1."""
        used = [i for i, bps in enumerate(self._layer_bps) if bps > 0]
        return used[-1] + 1 if used else 1

    def is_flowing(self, now_s: float) -> bool:
        """Whether it sends at all: a layer that is turned off cannot be switched to."""
        return not self.muted and now_s - self.heard_s < FLOWING_S

    def close(self) -> None:
        """Forget all listeners."""
        self._listeners = []
