"""Who gets which slot."""

import time
from typing import Any

import pytest

from vmeet_core.protocol import Picture
from vmeet_core.server.seats import Room, Seats, View, Wish, fitting


def room(present: Any, sharing: Any = (), recent: Any = (), speaker: str | None = None) -> Room:
    return Room(dict.fromkeys(present), dict.fromkeys(sharing), tuple(recent), speaker)


def view(*people: str, screens: Any = (), height_px: int = 180) -> View:
    cameras = [Picture(participant_id=person, width_px=320, height_px=height_px) for person in people]
    shared = [Picture(participant_id=p, source="screen", width_px=1920, height_px=1080) for p in screens]
    return View([*shared, *cameras])


def place(seats: Seats, now: Room, pairs: int | None = None, screens: int | None = None) -> dict[str, int]:
    pools = seats.pools(now)
    everyone = {*now.present, *now.sharing}
    seats.assign(now, pairs or pools[0], screens or pools[1], dict.fromkeys(everyone))
    assert len(set(seats.pairs.values())) == len(seats.pairs)
    assert all(index < (pairs or pools[0]) for index in seats.pairs.values())
    return dict(seats.pairs)


def test_before_the_first_view_everyone_is_seated_in_the_order_they_came() -> None:
    seats = Seats("me")
    assert place(seats, room(["a", "me", "b", "c"])) == {"a": 0, "b": 1, "c": 2}


def test_a_seat_is_kept_and_a_free_one_is_used_again() -> None:
    seats = Seats("me")
    place(seats, room("abc"))
    assert place(seats, room("bc")) == {"b": 1, "c": 2}
    assert place(seats, room("cbd")) == {"b": 1, "c": 2, "d": 0}


@pytest.mark.parametrize(("count", "size"), [(0, 4), (4, 4), (5, 8), (9, 16), (17, 24), (99, 24)])
def test_the_pool_grows_in_steps_and_no_further(count: int, size: int) -> None:
    people = [str(number) for number in range(count)]
    assert Seats("me").pools(room(people))[0] == size
    assert fitting(count, (4, 8, 16, 24)) == size


def test_with_a_view_only_those_shown_and_those_who_spoke_need_seats() -> None:
    seats = Seats("me")
    people = [str(number) for number in range(50)]
    seats.view = view("40", "41")
    now = room(people, recent=["30", "31", "32", "33", "34", "35"], speaker="30")
    assert seats.pools(now)[0] == 8
    seated = place(seats, now)
    assert {"30", "31", "32", "33", "34", "40", "41"} <= seated.keys()
    assert "35" not in seated
    assert "0" in seated  # a seat that nobody needs more


def test_somebody_unseated_who_begins_to_speak_takes_the_seat_of_who_is_neither_shown_nor_heard() -> None:
    seats = Seats("me")
    seats.view = view("a", "b")
    before = place(seats, room("abcdef", recent=["c"]), pairs=4)
    assert before == {"c": 0, "a": 1, "b": 2, "d": 3}
    after = place(seats, room("abcdef", recent=["f", "c"], speaker="f"), pairs=4)
    assert after == {"c": 0, "a": 1, "b": 2, "f": 3}


def test_of_those_not_shown_whoever_has_not_spoken_for_longest_goes_first() -> None:
    seats = Seats("me")
    place(seats, room("abcd"), pairs=4)
    seats.view = view("e")
    spoke = list("ghijkbadc")  # the first five are always heard, but are not in this room
    assert set(place(seats, room("abcde", recent=spoke), pairs=4)) == set("abde")
    seats.view = view("e", "c")
    assert set(place(seats, room("abcde", recent=spoke), pairs=4)) == set("abce")


def test_the_speaker_is_seated_though_more_are_shown_than_fit() -> None:
    seats = Seats("me")
    seats.view = view(*(str(number) for number in range(40)))
    people = [str(number) for number in range(60)]
    place(seats, room(people))
    assert set(seats.pairs) == {str(number) for number in range(24)}
    after = place(seats, room(people, recent=["50"], speaker="50"))
    assert after["50"] == 23
    assert {key: value for key, value in after.items() if key != "50"} == {str(n): n for n in range(23)}


def test_who_has_turned_everything_off_gets_no_seat_but_keeps_one() -> None:
    seats = Seats("me")
    assert place(seats, room("ab")) == {"a": 0, "b": 1}
    now = room("b")
    seats.assign(now, 4, 1, dict.fromkeys("abc"))
    assert seats.pairs == {"a": 0, "b": 1}
    seats.assign(room("bc"), 2, 1, dict.fromkeys("abc"))
    assert seats.pairs == {"c": 0, "b": 1}


def test_a_smaller_pool_seats_whom_it_can() -> None:
    seats = Seats("me")
    place(seats, room("abcdef"), pairs=8)
    assert place(seats, room("abcdef"), pairs=4) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_one_has_a_seat_only_while_one_shows_oneself_and_never_for_a_screen() -> None:
    seats = Seats("me")
    seats.view = view("a", screens=["me"])
    now = room(["me", "a"], sharing=["me"], recent=["me"], speaker="me")
    assert place(seats, now) == {"a": 0}
    assert seats.screens == {}
    seats.view = view("a", "me")
    assert place(seats, now) == {"a": 0, "me": 1}
    seats.view = view("a")
    assert place(seats, now) == {"a": 0}


def test_screens_have_slots_of_their_own_those_shown_first() -> None:
    seats = Seats("me")
    assert seats.pools(room("a"))[1] == 1
    now = room("abcdef", sharing="abcdef")
    assert seats.pools(now)[1] == 4
    place(seats, now, 24, 4)
    assert seats.screens == {"a": 0, "b": 1, "c": 2, "d": 3}
    seats.view = view(screens=["f"])
    place(seats, now, 24, 4)
    assert seats.screens == {"a": 0, "b": 1, "c": 2, "f": 3}
    place(seats, room("abcdef", sharing="f"), 24, 4)
    assert seats.screens == {"f": 3}


def test_what_is_not_shown_is_not_wished_for() -> None:
    seats = Seats("me")
    now = room("abc", sharing="a", speaker="b")
    place(seats, now)
    assert seats.wish("a", "camera", now) == Wish(3, 720)
    assert seats.wish("c", "camera", now) == Wish(4, 720)
    assert seats.wish("b", "camera", now) == Wish(1, 720)
    assert seats.wish("a", "screen", now) == Wish(0, 720)
    seats.view = view("c", "b", screens=["a"])
    assert seats.wish("a", "camera", now) is None
    assert seats.wish("a", "screen", now) == Wish(0, 1080)
    assert seats.wish("b", "camera", now) == Wish(1, 180)
    assert seats.wish("c", "camera", now) == Wish(3, 180)
    seats.view = view()
    assert seats.wish("b", "camera", now) is None


def test_a_picture_that_is_listed_twice_counts_once() -> None:
    listed = View(
        [Picture(participant_id="a", width_px=9, height_px=90), Picture(participant_id="a", width_px=1, height_px=10)]
    )
    assert listed.people("camera") == ["a"]
    assert listed.wish("a", "camera") == (0, 90)


def test_a_hundred_people_cost_a_page_little() -> None:
    people = [str(number) for number in range(100)]
    now = room(people, recent=people, speaker="99")
    seats = [Seats(person) for person in people]
    began_s = time.perf_counter()
    for each in seats:
        place(each, now)
    assert time.perf_counter() - began_s < 0.1
