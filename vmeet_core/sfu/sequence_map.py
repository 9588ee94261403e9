"""How the sequence numbers of a source become those of an outgoing stream, when some packets are left out.

The receiver must see no gap where packets were left out on purpose, and a gap where they were lost: it asks for those
again. Sequence numbers are 16 bits and wrap (RFC 3550); picture ids are those of VP8 (RFC 7741).
"""

from collections import deque
from typing import NamedTuple

from vmeet_core.sfu.packet import sequence_newer

MAX_RUNS = 512
MAX_LEFT_FRAMES = 128
MAX_OPEN = 1024  #: places that are kept for lost packets
HISTORY = 4096  #: packets, after which all is forgotten; more than an ingress keeps


class Place(NamedTuple):
    """Where a packet goes: its outgoing sequence number, and what to add to its picture id."""

    sequence: int
    picture_delta: int


class _Run(NamedTuple):
    """Packets from ``start`` to the next run: all kept with the same shift, or all left out."""

    start: int
    kept: bool
    delta: int
    picture_delta: int


class SequenceMap:
    """Begins with the packet ``first``, which becomes ``out``; ``picture_delta`` is the shift of its picture id.

    The newest packets are given with ``keep`` or ``leave_out``, late ones with ``fill``. ``forget`` has to be called at
    least once in 28,000 packets: numbers have 16 bits, and what is older would look newer.
    """

    def __init__(self, first: int, out: int, picture_delta: int) -> None:
        self.expected = first  #: the sequence number that continues without a gap
        self.delta = out - first
        self.picture_delta = picture_delta
        self._first = first
        self._runs = [_Run(first, True, self.delta, picture_delta)]
        self.leaving_out = False  #: whether the newest packet was left out
        self._left_timestamp = -1
        self._open: dict[int, None] = {}  # source numbers whose place was left and not filled yet, in order
        self._left_frames: deque[int] = deque(maxlen=MAX_LEFT_FRAMES)

    def keep(self, sequence: int) -> int:
        """The outgoing number of a packet newer than all before it."""
        if self.leaving_out:
            self._append(_Run(self.expected, True, self.delta, self.picture_delta))
            self.leaving_out = False
        self._leave_places(sequence)
        self.expected = sequence + 1 & 0xFFFF
        return sequence + self.delta & 0xFFFF

    def _leave_places(self, sequence: int) -> None:
        """For what is missing before a packet."""
        missing = min(sequence - self.expected & 0xFFFF, MAX_OPEN)
        for back in range(missing, 0, -1):
            self._open[sequence - back & 0xFFFF] = None
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]

    def leave_out(self, sequence: int, timestamp: int, has_picture_id: bool) -> None:
        """A packet newer than all before it is not forwarded.

        Missing packets before it count as left out with it when the one before them, of the same frame, was.
        """
        same_frame = timestamp == self._left_timestamp and not self._runs[-1].kept
        missing = sequence - self.expected & 0xFFFF
        start = self.expected
        if missing and not same_frame:
            if not self._runs[-1].kept:
                self._append(_Run(self.expected, True, self.delta, self.picture_delta))
            self._leave_places(sequence)
            start, missing = sequence, 0
        if not same_frame:
            self.picture_delta -= has_picture_id
            self._left_frames.append(timestamp)
        self.delta -= missing + 1
        if self._runs[-1].kept:
            self._append(_Run(start, False, self.delta, self.picture_delta))
        self._left_timestamp, self.leaving_out = timestamp, True
        self.expected = sequence + 1 & 0xFFFF

    def _append(self, run: _Run) -> None:
        if self._runs[-1].start == run.start and len(self._runs) > 1:
            self._runs[-1] = run
        else:
            self._runs.append(run)
        if len(self._runs) > MAX_RUNS:
            del self._runs[: MAX_RUNS // 2]
            self._first = self._runs[0].start

    def forget(self) -> None:
        """Let go of what is older than the latest HISTORY packets."""
        if (self.expected - self._first & 0xFFFF) <= HISTORY:
            return
        self._first = self.expected - HISTORY & 0xFFFF
        while len(self._runs) > 1 and not sequence_newer(self._runs[1].start, self._first):
            del self._runs[0]
        self._runs[0] = self._runs[0]._replace(start=self._first)
        self._open = {sequence: None for sequence in self._open if not sequence_newer(self._first, sequence)}

    def fill(self, sequence: int) -> Place | None:
        """The place that was left for an older packet, given once; None when there is none (any more).

        Whoever sends two packets under one number lets SRTP use a key stream twice.
        """
        if sequence not in self._open:
            return None
        del self._open[sequence]
        return self.place_of(sequence)

    def place_of(self, sequence: int) -> Place | None:
        """Where an older packet was sent or would have been; None when it was left out, or is too old."""
        if sequence_newer(self._first, sequence):
            return None
        for run in reversed(self._runs):
            if not sequence_newer(run.start, sequence):
                return Place(sequence + run.delta & 0xFFFF, run.picture_delta) if run.kept else None
        return None

    def has_left_out(self, timestamp: int) -> bool:
        """Whether something of the frame with this timestamp was left out lately: the rest of it is of no use."""
        return timestamp in self._left_frames

    def source_of(self, out: int) -> int | None:
        """The source's number of an outgoing packet; None when it is not known (any more)."""
        end = self.expected
        for run in reversed(self._runs):
            sequence = out - run.delta & 0xFFFF
            if run.kept and not sequence_newer(run.start, sequence) and sequence_newer(end, sequence):
                return sequence
            end = run.start
        return None

    @property
    def next_out(self) -> int:
        """The outgoing number that follows all that were given so far."""
        return self.expected + self.delta & 0xFFFF
