"""The encrypted path of one peer connection: decrypted packets in, packets to encrypt out, with as few steps as can be.

SRTP by libsrtp (RFC 3711) on the keys of the DTLS handshake, called on buffers that are used again and again. Packets
of one size that leave together are one call to Linux, which cuts them apart again (UDP generic segmentation offload,
since 4.18); elsewhere each is a call.
"""

import errno
import logging
import sys
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

from aiortc import RTCRtpTransceiver
from pylibsrtp._binding import ffi, lib

from vmeet_core.sfu.departures import Departures
from vmeet_core.sfu.ice import IceLite
from vmeet_core.sfu.packet import Wire
from vmeet_core.sfu.rtc import dtls_of, ice_of, srtp_sessions
from vmeet_core.sfu.sent_packets import SentPackets

logger = logging.getLogger(__name__)
PacketHandler = Callable[[bytes], None]
MAX_PACKET_BYTES = 2048
TRAILER_BYTES = 148  #: room that libsrtp asks for behind a packet (SRTP_MAX_TRAILER_LEN and the SRTCP index)
TRAIN_BYTES = 16_000  #: of packets that wait for each other
MAX_SEGMENTS = 60  #: Linux takes 64 at most
SOL_UDP, UDP_SEGMENT = 17, 103  #: <linux/udp.h>
FULL = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}
_pack_header = Struct("!BHII").pack_into
_pack_short = Struct("!H").pack_into
_pack_segment = Struct("=H").pack


class MediaTransport:
    """``on_rtp`` and ``on_rtcp`` get decrypted packets, at once."""

    def __init__(self, on_rtp: PacketHandler, on_rtcp: PacketHandler) -> None:
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._ice: IceLite | None = None
        self._dtls: Any = None
        self._receive: Any = None  # srtp_t of libsrtp
        self._transmit: Any = None
        self._in = ffi.new("char[]", MAX_PACKET_BYTES + TRAILER_BYTES)
        self._in_view = memoryview(ffi.buffer(self._in))
        self.departures = Departures()  #: of all connections of this network, once attached
        self._out = ffi.new("char[]", TRAIN_BYTES + MAX_PACKET_BYTES + TRAILER_BYTES)
        self._out_view = memoryview(ffi.buffer(self._out))
        self._length = ffi.new("int *")
        self._start = self._end = self._segment_bytes = 0  # of what waits in ``_out``
        self._full_at = TRAIN_BYTES
        self._segments = sys.platform == "linux"  # whether the system cuts packets apart
        self.sent = SentPackets(time.monotonic)  #: packets with transport-wide sequence numbers
        self.packet_errors = 0
        self.send_errors = 0
        self.refused_later = 0  #: packets that waited and were then not taken, among ``send_errors``
        self.packets_received = 0
        self.bytes_received = 0

    @property
    def arrived_s(self) -> float:
        """When the packet that is dealt with came to this machine, however busy the server was then (monotonic)."""
        return self._ice.arrived_s if self._ice is not None else time.monotonic()

    def attach(self, transceiver: RTCRtpTransceiver) -> None:
        """Take over the transport of this transceiver (the same one for all, since they are bundled)."""
        dtls = dtls_of(transceiver)
        if dtls is self._dtls:
            return
        if self._ice is not None:
            self._ice.on_media = None
        self._dtls, self._receive, self._transmit = dtls, None, None
        self._ice = ice_of(transceiver)
        self.departures = self._ice.departures
        self._ice.on_media = self._on_datagram

    def _is_ready(self) -> bool:
        """Whether there are keys; takes them when the handshake is done."""
        if self._transmit is not None:
            return True
        sessions = srtp_sessions(self._dtls) if self._dtls is not None else None
        if sessions is None:
            return False
        self._sessions = sessions  # they own what the raw handles point to
        self._receive, self._transmit = sessions[0]._srtp[0], sessions[1]._srtp[0]
        return True

    # ---- in ----

    def _on_datagram(self, data: bytes) -> None:
        """An exception that left a packet handler would cost the whole connection, or the server's socket."""
        try:
            self._receive_datagram(data)
        except ValueError as error:
            self.packet_errors += 1
            logger.debug("packet refused: %s", error, exc_info=True)
        except Exception:
            self.packet_errors += 1
            logger.exception("packet handler failed")

    def _receive_datagram(self, data: bytes) -> None:
        size = len(data)
        if size < 12 or size > MAX_PACKET_BYTES or not (self._receive is not None or self._is_ready()):
            self.packet_errors += 1
            return
        is_rtcp = 192 <= data[1] <= 223
        self._in_view[:size] = data
        self._length[0] = size
        unprotect = lib.srtp_unprotect_rtcp if is_rtcp else lib.srtp_unprotect
        if unprotect(self._receive, self._in, self._length):
            self.packet_errors += 1
            return
        self.packets_received += 1
        self.bytes_received += size
        plain = bytes(self._in_view[: self._length[0]])
        if is_rtcp:
            self._on_rtcp(plain)
        else:
            self._on_rtp(plain)

    # ---- out ----

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        """Patch a prepared packet, encrypt it and send it, now or when the burst is over that is being read.

        ``picture_id`` (its 16-bit field) and ``tl0`` are -1 to leave them. False when there is no path, or when the
        system takes no more.
        """
        if self._transmit is None and not self._is_ready():
            return False
        if self._ice.address is None:  # type: ignore[union-attr]
            return False
        data, picture_id_at, tl0_at, _, transport_at = wire
        size, at, out = len(data), self._end, self._out_view
        if at >= self._full_at:
            self.leave()
            at = 0
        out[at : at + size] = data
        _pack_header(out, at + 1, second, sequence, timestamp, ssrc)
        if picture_id >= 0:
            _pack_short(out, at + picture_id_at, picture_id)
        if tl0 >= 0:
            out[at + tl0_at] = tl0
        if transport_at:
            _pack_short(out, at + transport_at, self.sent.next(size, ssrc, sequence))
        length = self._length
        length[0] = size
        if lib.srtp_protect(self._transmit, self._out + at, length):
            self.send_errors += 1
            return False
        return self._board(at, length[0])

    def _board(self, at: int, size: int) -> bool:
        """A packet lies ready behind those that wait. A train has packets of one size; the last may be smaller."""
        segment = self._segment_bytes
        if size == segment:
            self._end = at + size
            return True
        if segment and size < segment:
            self._end = at + size
            self.leave()
            return True
        if segment:
            self.leave()
        self._start, self._end, self._segment_bytes = at, at + size, size
        self._full_at = min(TRAIN_BYTES, at + MAX_SEGMENTS * size)
        if not self.departures.gathering:
            return self.leave()
        self.departures.wait(self)
        return True

    def leave(self) -> bool:
        """Send what waits; False when the system does not take it."""
        start, end, size = self._start, self._end, self._segment_bytes
        self._start = self._end = self._segment_bytes = 0
        self._full_at = TRAIN_BYTES
        ice = self._ice
        if start == end or ice is None or ice.sock is None or ice.address is None:
            return start == end
        try:
            if end - start == size:
                ice.sock.sendto(self._out_view[start:end], ice.address)
            elif self._segments:
                control = ((SOL_UDP, UDP_SEGMENT, _pack_segment(size)),)
                ice.sock.sendmsg((self._out_view[start:end],), control, 0, ice.address)
            else:
                for at in range(start, end, size):
                    ice.sock.sendto(self._out_view[at : min(at + size, end)], ice.address)
        except OSError as error:  # the socket is full, the path has gone, or the packets are too large for this path
            if end - start > size and self._segments and error.errno not in FULL:
                self._segments = False
                self._start, self._end, self._segment_bytes = start, end, size
                return self.leave()
            self._count_refused(-((start - end) // size))
            return False
        return True

    def _count_refused(self, packets: int) -> None:
        self.send_errors += packets
        if self.departures.gathering:
            self.refused_later += packets

    def send_rtp(self, data: bytes) -> bool:
        """Encrypt and send at once; False when there is no path or the socket is full."""
        return self._send(data, lib.srtp_protect)

    def send_rtcp(self, data: bytes) -> bool:
        """Like ``send_rtp``, for compound RTCP."""
        return self._send(data, lib.srtp_protect_rtcp)

    def _send(self, data: bytes, protect: Callable[[Any, Any, Any], int]) -> bool:
        if self._ice is None or len(data) > MAX_PACKET_BYTES or not self._is_ready():
            return False
        self.leave()
        self._out_view[: len(data)] = data
        self._length[0] = len(data)
        if protect(self._transmit, self._out, self._length):
            self.send_errors += 1
            return False
        return self._ice.send_now(self._out_view[: self._length[0]])

    def close(self) -> None:
        """Nothing comes or goes any more."""
        if self._ice is not None:
            self._ice.on_media = None
        self._dtls = self._receive = self._transmit = None
