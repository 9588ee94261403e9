"""Who gets which slot of a page's receiving connection: pure policy, no input or output.

A page has a pool of pairs (sound and picture) and a few slots for screens; both are bounded, however many people
are in the meeting. Seats are given to those who matter most to this page, and whoever has one keeps it until
somebody who matters more needs it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from vmeet_core.protocol import Picture, PictureKind

PAIR_POOLS = (4, 8, 16, 24)  #: sizes that a pool of pairs grows through: growing negotiates anew
SCREEN_POOLS = (1, 2, 4)
RECENT_SPEAKERS = 5  #: so many of those who spoke last are always heard
DEFAULT_HEIGHT_PX = 720  #: until the page says what it shows


class Wish(NamedTuple):
    """How much a picture matters to a page (0 first) and the size at which it is shown there."""

    priority: int
    height_px: int


@dataclass(frozen=True)
class Room:
    """What all pages of a meeting have in common: made once for every change, whoever is in the meeting.

    ``present`` are those who have turned a microphone or a camera on, and ``sharing`` those who share a screen, in
    the order in which they came; ``recent`` those who spoke, the latest first.
    """

    present: Mapping[str, None]
    sharing: Mapping[str, None]
    recent: tuple[str, ...] = ()
    speaker_id: str | None = None


class View:
    """What a page shows: the pictures it listed, the most important first."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._sizes: dict[tuple[str, PictureKind], tuple[int, int]] = {}
        for picture in pictures:
            self._sizes.setdefault((picture.participant_id, picture.source), (len(self._sizes), picture.height_px))

    def people(self, source: PictureKind) -> list[str]:
        """Whose pictures of this kind are shown, the most important first."""
        return [person for person, kind in self._sizes if kind == source]

    def wish(self, person: str, source: PictureKind) -> tuple[int, int] | None:
        """Place in the list and height of a picture; None when it is not shown."""
        return self._sizes.get((person, source))


class Seats:
    """The slots of one page: ``pairs`` and ``screens`` map a person to the number of the slot."""

    def __init__(self, me: str) -> None:
        self.pairs: dict[str, int] = {}
        self.screens: dict[str, int] = {}
        self.view: View | None = None
        self._me = me

    def pools(self, room: Room) -> tuple[int, int]:
        """How many pairs and screens the page should have for everyone who matters to it."""
        return fitting(len(self._wanted(room)), PAIR_POOLS), fitting(len(self._screens_wanted(room)), SCREEN_POOLS)

    def assign(self, room: Room, pairs: int, screens: int, here: Mapping[str, object]) -> None:
        """Fill so many slots. ``here`` is everyone who is in the meeting: others lose their seat."""
        wanted = self._wanted(room)
        keep = [each for each in room.recent if each in here]
        _leave(self.pairs, here, pairs)
        if not self.shows_me:
            self.pairs.pop(self._me, None)
        _seat(self.pairs, wanted, pairs, keep)
        _fill(self.pairs, (each for each in room.present if each != self._me), pairs)
        _leave(self.screens, room.sharing, screens)
        _seat(self.screens, self._screens_wanted(room), screens, [])

    @property
    def shows_me(self) -> bool:
        """Whether the page shows its own camera as the others see it."""
        return self.view is not None and self.view.wish(self._me, "camera") is not None

    def _wanted(self, room: Room) -> list[str]:
        """Who should have a pair, the most important first."""
        order = [room.speaker_id] if room.speaker_id is not None else []
        order += room.recent[:RECENT_SPEAKERS]
        shown: Iterable[str] = room.present if self.view is None else self.view.people("camera")
        unique = dict.fromkeys((*order, *islice(shown, PAIR_POOLS[-1] + len(order) + 1)))
        if not self.shows_me:
            unique.pop(self._me, None)
        return [each for each in unique if each in room.present][: PAIR_POOLS[-1]]

    def _screens_wanted(self, room: Room) -> list[str]:
        shown = self.view.people("screen") if self.view is not None else []
        unique = dict.fromkeys((*shown, *islice(room.sharing, SCREEN_POOLS[-1] + 1)))
        unique.pop(self._me, None)
        return [each for each in unique if each in room.sharing][: SCREEN_POOLS[-1]]

    def wish(self, person: str, source: PictureKind, room: Room) -> Wish | None:
        """How much this page wants a picture; None when it does not show it."""
        place, height_px = 0, DEFAULT_HEIGHT_PX
        if self.view is not None:
            shown = self.view.wish(person, source)
            if shown is None:
                return None
            place, height_px = shown
        elif source == "camera":
            place = self.pairs.get(person, 0)
        if source == "screen":
            return Wish(0, height_px)
        return Wish(1 if person == room.speaker_id else 2 + place, height_px)


def fitting(count: int, pools: Sequence[int]) -> int:
    """The smallest pool for so many; the largest one when none is large enough."""
    return next((size for size in pools if size >= count), pools[-1])


def _leave(seats: dict[str, int], here: Mapping[str, object], capacity: int) -> None:
    """Free the seats of those who have gone, and those that a new connection does not have."""
    for person in [person for person, index in seats.items() if person not in here or index >= capacity]:
        del seats[person]


def _seat(seats: dict[str, int], wanted: Sequence[str], capacity: int, recent: Sequence[str]) -> None:
    """Seat the first ``capacity`` of those wanted; whoever must make way is not among them."""
    chosen = dict.fromkeys(wanted[:capacity])
    free = _free(seats, capacity)
    standing = [person for person in chosen if person not in seats]
    for person in standing:
        if free:
            seats[person] = free.pop(0)
            continue
        loser = max((each for each in seats if each not in chosen), key=lambda each: _rank(each, wanted, recent))
        seats[person] = seats.pop(loser)


def _rank(person: str, wanted: Sequence[str], recent: Sequence[str]) -> tuple[int, int]:
    """The larger, the sooner a person loses the seat: not shown first, then who has not spoken for longest."""
    shown = wanted.index(person) if person in wanted else len(wanted)
    return shown, recent.index(person) if person in recent else len(recent)


def _fill(seats: dict[str, int], others: Iterable[str], capacity: int) -> None:
    """Seats that nobody needs more go to whoever may begin to speak: the first word is heard too."""
    free = _free(seats, capacity)
    for person in others:
        if not free:
            return
        if person not in seats:
            seats[person] = free.pop(0)


def _free(seats: Mapping[str, int], capacity: int) -> list[int]:
    taken = set(seats.values())
    return [index for index in range(capacity) if index not in taken]
