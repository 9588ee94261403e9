"""The encrypted path of one peer connection: decrypted packets in, packets to encrypt out, with as few steps as can be.

SRTP by libsrtp (RFC 3711) on the keys of the DTLS handshake, called on buffers that are used again and again.
"""

import logging
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

from aiortc import RTCRtpTransceiver
from pylibsrtp._binding import ffi, lib

from vmeet_core.sfu.ice import IceLite
from vmeet_core.sfu.packet import Wire
from vmeet_core.sfu.rtc import dtls_of, ice_of, srtp_sessions
from vmeet_core.sfu.sent_packets import SentPackets

logger = logging.getLogger(__name__)
PacketHandler = Callable[[bytes], None]
MAX_PACKET_BYTES = 2048
TRAILER_BYTES = 148  #: room that libsrtp asks for behind a packet (SRTP_MAX_TRAILER_LEN and the SRTCP index)
_pack_header = Struct("!BHII").pack_into
_pack_short = Struct("!H").pack_into


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
        self._out = ffi.new("char[]", MAX_PACKET_BYTES + TRAILER_BYTES)
        self._out_view = memoryview(ffi.buffer(self._out))
        self._length = ffi.new("int *")
        self.sent = SentPackets(time.monotonic)  #: packets with transport-wide sequence numbers
        self.packet_errors = 0
        self.send_errors = 0
        self.packets_received = 0
        self.bytes_received = 0

    def attach(self, transceiver: RTCRtpTransceiver) -> None:
        """Take over the transport of this transceiver (the same one for all, since they are bundled)."""
        dtls = dtls_of(transceiver)
        if dtls is self._dtls:
            return
        if self._ice is not None:
            self._ice.on_media = None
        self._dtls, self._receive, self._transmit = dtls, None, None
        self._ice = ice_of(transceiver)
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
        """Patch a prepared packet, encrypt and send it; ``picture_id`` (its 16-bit field) is -1 to leave it."""
        ice = self._ice
        if self._transmit is None and not self._is_ready():
            return False
        address = ice.address  # type: ignore[union-attr]
        if address is None:
            return False
        data, picture_id_at, tl0_at, _, transport_at = wire
        size = len(data)
        out = self._out_view
        out[:size] = data
        _pack_header(out, 1, second, sequence, timestamp, ssrc)
        if picture_id >= 0:
            _pack_short(out, picture_id_at, picture_id)
        if tl0 >= 0:
            out[tl0_at] = tl0
        if transport_at:
            _pack_short(out, transport_at, self.sent.next(size, ssrc, sequence))
        length = self._length
        length[0] = size
        if lib.srtp_protect(self._transmit, self._out, length):
            self.send_errors += 1
            return False
        try:
            ice.sock.sendto(out[: length[0]], address)  # type: ignore[union-attr]
        except OSError:  # the socket is full, or the path has gone
            self.send_errors += 1
            return False
        return True

    def send_rtp(self, data: bytes) -> bool:
        """Encrypt and send at once; False when there is no path or the socket is full."""
        return self._send(data, lib.srtp_protect)

    def send_rtcp(self, data: bytes) -> bool:
        """Like ``send_rtp``, for compound RTCP."""
        return self._send(data, lib.srtp_protect_rtcp)

    def _send(self, data: bytes, protect: Callable[[Any, Any, Any], int]) -> bool:
        if self._ice is None or len(data) > MAX_PACKET_BYTES or not self._is_ready():
            return False
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
