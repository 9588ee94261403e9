"""When privacy was asked for, and which pictures had come until then: seen inside the server, beside its own rules.

The camera's pictures carry numbers, and these their RTP timestamps. For each camera the witness keeps the number of the
newest picture of which the server had a packet when it began to handle a wish. A picture may be seen raw only if its
first packet came while privacy was not asked for: no matter when and where it is seen. So a window of time is needed
nowhere, and one rule holds for receivers, recordings, and pictures that somebody else got first.

Besides, everything that leaves is looked at: while privacy is asked for, no packet may be of a raw camera, not even one
that has been sent before; and no picture that a worker made may be of what was captured before the wish.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from leak_scene import Look, look

from vmeet_core.live.decoder import PictureDecoder
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.frames import planes_of
from vmeet_core.protocol import EffectWishes
from vmeet_core.server.filtered_camera import FilteredCamera
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.member import Member
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.egress import Egress
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_source import MadeSource
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

AGREEING = 3  #: pictures that have to say the same of where the timestamps begin
WRAP = 1 << 32
CAMERAS = ("camera", "camera-small")


class Turn(NamedTuple):
    """Privacy was asked for from now on, or no more; ``after`` is the newest timestamp there was, None: none yet."""

    is_private: bool
    after: int | None


class CameraLog:
    """One size of somebody's camera as it came to the server; ``step`` is what a picture adds to its timestamp."""

    def __init__(self, step: int, is_private: bool) -> None:
        self.is_private = is_private
        self.newest: int | None = None  #: timestamp
        self._step = step
        self._origin: int | None = None  # timestamp of number 0
        self._said: list[int] = []
        self._turns = [Turn(is_private, None)]
        self._decoder = PictureDecoder()
        self._assembler = FrameAssembler(
            True, self._on_frame, lambda before, after: None, lambda ntp, rtp: None, lambda: None
        )

    def packet(self, packet: RtpPacket) -> None:
        """A packet has come; it is prepared."""
        if self.newest is None or _ahead(packet.timestamp, self.newest) > 0:
            self.newest = packet.timestamp
        if self._origin is None:
            self._assembler.forward(packet)

    def _on_frame(self, frame: EncodedFrame) -> None:
        """Find out which timestamps the numbers have."""
        picture = self._decoder.decode(frame.codec, frame.data, frame.keyframe)
        number = look(planes_of(picture)[0]).background if picture is not None else None
        if number is None:
            return
        self._said.append((frame.rtp_timestamp - number * self._step) % WRAP)
        if len(self._said) >= AGREEING and len(set(self._said[-AGREEING:])) == 1:
            self._origin = self._said[-1]

    @property
    def is_dated(self) -> bool:
        """Whether the timestamp of every number is known."""
        return self._origin is not None

    def turn(self, is_private: bool) -> None:
        """Privacy is asked for from now on, or no more."""
        if is_private != self.is_private:
            self.is_private = is_private
            self._turns.append(Turn(is_private, self.newest))

    def is_from_before(self, timestamp: int) -> bool:
        """Whether what was captured then came before the latest turn."""
        after = self._turns[-1].after
        return after is not None and _ahead(timestamp, after) <= 0

    def may_be_raw(self, number: int) -> bool:
        """Whether the first packet of this picture came while privacy was not asked for."""
        turn = self._turn_of(number)
        return turn is not None and not turn.is_private

    def are_of_one_turn(self, first: int, last: int) -> bool:
        """Whether the first packets of both came between the same two wishes."""
        return self._turn_of(first) is not None and self._turn_of(first) is self._turn_of(last)

    def _turn_of(self, number: int) -> Turn | None:
        if self._origin is None:
            return None
        timestamp = (self._origin + number * self._step) % WRAP
        return [turn for turn in self._turns if turn.after is None or _ahead(timestamp, turn.after) > 0][-1]


class PersonLog:
    """Both sizes of somebody's camera, and how many raw packets left while they must not."""

    def __init__(self) -> None:
        self.cameras: dict[str, CameraLog] = {}
        self.raw_packets = 0
        self.stale_pictures = 0  #: that a worker had made before privacy was asked for, and that were sent after it
        self._turns_s: list[tuple[float, bool]] = []

    def turn(self, is_private: bool) -> None:
        """Privacy is asked for from now on, or no more."""
        self._turns_s.append((time.monotonic(), is_private))
        for camera in self.cameras.values():
            camera.turn(is_private)

    def was_private(self, at_s: float) -> bool:
        """Whether privacy was asked for then (monotonic clock)."""
        before = [is_private for turned_s, is_private in self._turns_s if turned_s <= at_s]
        return before[-1] if before else True

    @property
    def is_private(self) -> bool:
        """Whether privacy is asked for now."""
        return all(each.is_private for each in self.cameras.values())

    @property
    def is_dated(self) -> bool:
        """Whether pictures of both sizes can be dated."""
        return len(self.cameras) == len(CAMERAS) and all(each.is_dated for each in self.cameras.values())

    def is_leak(self, seen: Look, small_px: int, beside: tuple[Look, Look] | None = None) -> bool:
        """Whether somebody has seen what nobody may. What cannot be dated counts.

        A number that cannot be read lies between those of the pictures ``beside``, which the same receiver saw before
        and after it, since pictures are shown in order; nor is it below that of the person in it, which may be older
        than the picture and never newer. Where both ends may be seen, and nothing was wished for in between, so may
        this one.
        """
        if not seen.is_raw:
            return False
        sizes = (
            CAMERAS if seen.height_px <= small_px else CAMERAS[:1]
        )  # a worker makes a small one of the full one, too
        if seen.background is not None:
            return not any(self.cameras[size].may_be_raw(seen.background) for size in sizes)
        if beside is None or not (beside[1].is_raw and beside[1].height_px == seen.height_px):
            return True
        earlier = beside[0].background if beside[0].is_raw and beside[0].height_px == seen.height_px else None
        before, after = earlier if seen.person is None else seen.person, beside[1].background
        if before is None or after is None or before > after:
            return True
        logs = [self.cameras[size] for size in sizes]
        return not any(log.may_be_raw(before) and log.are_of_one_turn(before, after) for log in logs)


class Witness:
    """``step`` is what a picture adds to its timestamp. Everybody begins with privacy asked for."""

    def __init__(self, step: int) -> None:
        self.people: dict[str, PersonLog] = {}
        self._step = step
        self._by_ingress: dict[Ingress, tuple[PersonLog, CameraLog]] = {}
        self._by_clock: dict[PublisherClock, PersonLog] = {}  # what is made of a camera has its clock
        self._is_card = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The server's own functions run as they are; something is noted before or after."""
        with (
            _around(LiveMeeting, "wish", before=self._on_wish),
            _around(Member, "take", before=self._on_take),
            _around(Ingress, "_accept", after=self._on_packet),
            _around(Egress, "_send", before=self._on_sent),
            _around(Egress, "_send_again", before=self._on_sent),
            _around(FilteredCamera, "_send_card", before=self._on_card, after=self._on_card_sent),
            _around(MadeSource, "send", before=self._on_made),
        ):
            yield

    def person(self, participant_id: str) -> PersonLog:
        """The log of somebody."""
        return self.people.setdefault(participant_id, PersonLog())

    def _on_take(self, member: Member, connection: Any) -> None:
        log = self.person(member.participant.id)
        for source in CAMERAS:
            ingress = connection.sources.get(source)
            if ingress is not None and ingress not in self._by_ingress:
                log.cameras[source] = CameraLog(self._step, is_private=True)
                self._by_ingress[ingress] = log, log.cameras[source]
                self._by_clock[ingress.clock] = log

    def _on_wish(self, live: LiveMeeting, member: Member, wishes: EffectWishes) -> None:
        is_private = any(wish.name == "leaky" and wish.on for wish in wishes.filters)
        self.person(member.participant.id).turn(is_private)

    def _on_packet(self, ingress: Ingress, packet: RtpPacket, *rest: Any) -> None:
        known = self._by_ingress.get(ingress)
        if known is not None and packet.codec == "vp8":
            known[1].packet(packet)

    def _on_sent(self, egress: Egress, packet: RtpPacket, *rest: Any) -> None:
        source = packet.source
        known = self._by_ingress.get(source) if isinstance(source, Ingress) else None
        if known is not None and known[1].is_private and packet.payload:
            known[0].raw_packets += 1

    def _on_card(self, camera: FilteredCamera) -> None:
        self._is_card = True

    def _on_card_sent(self, camera: FilteredCamera) -> None:
        self._is_card = False

    def _on_made(self, source: MadeSource, data: bytes, rtp_timestamp: int, *rest: Any) -> None:
        log = self._by_clock.get(source.clock)
        if log is None or self._is_card:
            return
        camera = log.cameras["camera"]
        log.stale_pictures += camera.is_private and camera.is_from_before(rtp_timestamp)


@contextmanager
def _around(
    owner: type, name: str, before: Callable[..., None] | None = None, after: Callable[..., None] | None = None
) -> Iterator[None]:
    real = getattr(owner, name)

    def called(*args: Any) -> Any:
        if before is not None:
            before(*args)
        result = real(*args)
        if after is not None:
            after(*args)
        return result

    with mock.patch.object(owner, name, called):
        yield


def _ahead(timestamp: int, of: int) -> int:
    return (timestamp - of + WRAP // 2) % WRAP - WRAP // 2
