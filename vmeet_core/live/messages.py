"""What goes between the server and a worker process, in both directions, over one stream socket.

Each message is its length (4 bytes, what follows), its kind (1 byte), the number of the track (4 bytes, 0: the worker
itself) and a body: JSON for everything but frames, whose body is a fixed head and the compressed data. Integers are
big-endian.
"""

import json
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

_LENGTH = struct.Struct("!I")
_HEAD = struct.Struct("!BI")
_FRAME = struct.Struct("!BBBBIId")
MAX_BODY_BYTES = 4 << 20  #: a keyframe of a large screen is about a tenth of it
CODECS = ("vp8", "h264", "opus")
_KEYFRAME, _SWITCHABLE = 1, 2


class Kind(IntEnum):
    """To the worker: LOAD to PING, and LIMIT. From it: LOADED to PONG, and CAPTION. FRAME and KEYFRAME go both ways.

    A process that writes captions is told LOAD with ``transcribers``, OPEN and UPDATE with the fields of
    ``dictation.Dictation``, FRAME, CLOSE and PING; its FAULT of a track is of one phrase, and the track goes on.
    """

    LOAD = 1  #: engines by name, with what they need; ``measure`` them? Answered by LOADED or FAULT
    OPEN = 2  #: a track with its filters and their options, its sizes and its limits: the fields of ``worker.Track``
    UPDATE = 3  #: other options for the filters of a track
    KEYFRAME = 4  #: to the worker: the next frame out must be one; from it: the next frame in must be one
    BITRATE = 5  #: of a size that it encodes, in bits a second
    CLOSE = 6  #: a track
    PING = 7  #: is it alive?
    FRAME = 8
    LOADED = 9  #: ``engines`` by name, and their ``costs`` as ``cost.Costs`` gives them, or null
    FAULT = 10  #: of a track, or (track 0) of the worker: the text says whose
    DROPPED = 11  #: frames of a track that came too late to be worth the work
    PONG = 12  #: ``at_s`` on its clock; until then ``busy_s``, when it did not wait for messages, and ``cpu_s``
    LIMIT = 13  #: of a picture: ``max_height_px`` (the shorter side) and ``max_fps``, 0: none; from the next one on
    CAPTION = 14  #: what was said in a phrase of a track: the fields of ``dictation.Caption``


class LiveFrame(NamedTuple):
    """A compressed frame on its way. ``rtp_timestamp`` is that of its capture and is kept to the end, for lip sync.

    ``epoch`` counts the activations of a track's filters: what comes out of an earlier one is of no use any more.
    ``size`` is the index among the sizes that a worker encodes (0 the smallest), ``temporal`` the temporal layer, and
    where it is ``switchable`` a receiver may begin to take that layer.
    ``sent_s`` is the monotonic time at which it was handed over, on this machine's clock.
    """

    codec: str
    data: bytes
    rtp_timestamp: int
    epoch: int = 0
    keyframe: bool = False
    size: int = 0
    temporal: int = 0
    switchable: bool = False
    sent_s: float = 0.0


class Message(NamedTuple):
    """``body`` is a JSON object, or the frame of a FRAME."""

    kind: Kind
    track: int
    body: dict[str, Any] | LiveFrame


def pack(message: Message) -> bytes:
    """The bytes on the wire. Raises ValueError when it is larger than a reader would take."""
    body = message.body
    if isinstance(body, LiveFrame):
        flags = _KEYFRAME * body.keyframe | _SWITCHABLE * body.switchable
        codec = CODECS.index(body.codec)
        head = _FRAME.pack(codec, flags, body.size, body.temporal, body.rtp_timestamp, body.epoch, body.sent_s)
        data = head + body.data
    else:
        data = json.dumps(body).encode()
    if len(data) > MAX_BODY_BYTES:
        raise ValueError(f"a message of {len(data)} bytes is too large: at most {MAX_BODY_BYTES}")
    return _LENGTH.pack(_HEAD.size + len(data)) + _HEAD.pack(message.kind, message.track) + data


class Unpacker:
    """Puts messages together from whatever pieces a socket gives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now. Raises ValueError when the stream makes no sense: it cannot go on."""
        self._buffer += data
        position = 0
        while len(self._buffer) - position >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, position)
            if not _HEAD.size <= length <= MAX_BODY_BYTES + _HEAD.size:
                raise ValueError(f"a message claims to have {length} bytes")
            end = position + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            yield _unpack(bytes(self._buffer[position + _LENGTH.size : end]))
            position = end
        del self._buffer[:position]


def _unpack(data: bytes) -> Message:
    number, track = _HEAD.unpack_from(data)
    kind = Kind(number)  # a ValueError names the number
    body = data[_HEAD.size :]
    if kind is not Kind.FRAME:
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError(f"the body of {kind.name} is no object")
        return Message(kind, track, found)
    if len(body) < _FRAME.size:
        raise ValueError("a frame is cut short")
    codec, flags, size, temporal, rtp_timestamp, epoch, sent_s = _FRAME.unpack_from(body)
    if codec >= len(CODECS):
        raise ValueError(f"a frame has the unknown codec {codec}")
    frame = LiveFrame(
        CODECS[codec], body[_FRAME.size :], rtp_timestamp, epoch, bool(flags & _KEYFRAME), size, temporal,
        bool(flags & _SWITCHABLE), sent_s,
    )  # fmt: skip
    return Message(kind, track, frame)
