"""The journal of a recording: ``manifest.json``, one JSON object a line, only ever appended to.

It is all that the pipeline needs to know of a recording, and the only thing that recording and pipeline share.
Times: ``at_s`` and ``wall_s`` are the server's Unix time; ``rtp`` are 32-bit RTP timestamps at ``clock_hz``.
A line that a crash cut short is the last one, and is ignored.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MANIFEST_NAME = "manifest.json"
SEGMENTS = "segments"  #: the folder of the segment files, inside the recording's
#: So long after a border, by the clock of arrival, tracks go on in new files: what was sent before it has come by then.
ROLL_AFTER_S = 1.0
SourceKind = Literal["microphone", "camera", "camera-small", "screen"]
#: Who keeps a person out of the recording: the host, the person, or nobody has told or asked them yet.
LeftOutBy = Literal["host", "self", "unanswered"]


class Event(BaseModel):
    """Base of every line."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    at_s: float


class Started(Event):
    """First line: the recording begins; time 0 of the recording is ``at_s``."""

    type: Literal["started"] = "started"
    version: Literal[1] = 1
    recording_id: str
    meeting_id: str
    title: str
    part_s: float | None = None  #: soon after each multiple of it, each track goes on in a new file; None: they do not


class Joined(Event):
    """A person is in the meeting (also written at the start for those already there, and on a change of name)."""

    type: Literal["joined"] = "joined"
    participant_id: str
    name: str


class Left(Event):
    """A person is gone."""

    type: Literal["left"] = "left"
    participant_id: str


class Muted(Event):
    """A person turned a source off or on; nothing of it is recorded while it is off."""

    type: Literal["muted"] = "muted"
    participant_id: str
    source: SourceKind
    muted: bool


class LeftOut(Event):
    """A person is left out of the recording from now on, or (``left_out`` False) no longer: while they are, nothing of
    any of their sources is written. ``by`` is who keeps them out, or who did until now.
    """

    type: Literal["left-out"] = "left-out"
    participant_id: str
    left_out: bool
    by: LeftOutBy


class SegmentStarted(Event):
    """A new file ``segments/<file>``: its first new frame has RTP timestamp ``rtp`` and arrived at ``wall_s``.

    Inside the file, that frame lies at ``preroll_s``: what comes before it repeats the end of the file before, so
    that a decoder has settled when it begins (RFC 7845, 4.2).
    """

    type: Literal["segment"] = "segment"
    participant_id: str
    source: SourceKind
    file: str
    codec: Literal["opus", "vp8", "h264"]
    clock_hz: int
    ssrc: int
    rtp: int
    wall_s: float
    preroll_s: float = 0.0


class SegmentEnded(Event):
    """A file is finished: no line of this kind means that a crash or a kill cut it short.

    ``duration_s`` is the time in the file at which its last frame begins; or, where the track goes on in another file
    for the sake of the parts, the time at which that file's first new frame would have lain in this one.
    """

    type: Literal["segment-ended"] = "segment-ended"
    file: str
    frames: int
    duration_s: float


class SenderReport(Event):
    """RTCP sender report: the sender's clock read ``ntp_s`` (seconds since 1900) when its RTP clock read ``rtp``."""

    type: Literal["sender-report"] = "sender-report"
    participant_id: str
    source: SourceKind
    ssrc: int
    ntp_s: float
    rtp: int


class Gap(Event):
    """Frames between two RTP timestamps were lost on the way and could not be recovered."""

    type: Literal["gap"] = "gap"
    participant_id: str
    source: SourceKind
    from_rtp: int
    to_rtp: int


class Mark(Event):
    """Whatever came before is in the journal: lines of other kinds may be far apart."""

    type: Literal["mark"] = "mark"


class Stopped(Event):
    """Last line: absent when the server was killed."""

    type: Literal["stopped"] = "stopped"
    reason: str


AnyEvent = (
    Started | Joined | Left | Muted | LeftOut | SegmentStarted | SegmentEnded | SenderReport | Gap | Mark | Stopped
)
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])


def part_of(started: Started, wall_s: float) -> int:
    """The number, from 0, of the part to which a file counts whose first new frame arrived at that Unix time.

    ``ROLL_AFTER_S`` belongs to the part before, so that nothing of a file was sent before its part. 0 without parts.
    """
    if started.part_s is None:
        return 0
    return max(0, math.floor((wall_s - started.at_s - ROLL_AFTER_S) / started.part_s))


def encode(event: AnyEvent) -> bytes:
    """One line of the journal, newline included."""
    return event.model_dump_json().encode() + b"\n"


def decode(lines: Iterable[bytes]) -> Iterator[AnyEvent]:
    """Replay a journal; a last line that was cut short is left out.

    Raises ValueError, with the line's number, on any other line that cannot be read.
    """
    pending: tuple[int, ValidationError] | None = None
    for number, line in enumerate(lines, start=1):
        if pending is not None:
            raise ValueError(f"line {pending[0]} of the manifest cannot be read: {pending[1]}")
        try:
            yield _ADAPTER.validate_json(line)
        except ValidationError as error:
            pending = (number, error)


def read_manifest(folder: Path) -> list[AnyEvent]:
    """All events of the recording in ``folder``. Raises OSError and ValueError."""
    with (folder / MANIFEST_NAME).open("rb") as file:
        return list(decode(file))
