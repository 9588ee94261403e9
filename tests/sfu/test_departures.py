"""What waits for the end of a burst."""

from collections import deque

import pytest

from vmeet_core.sfu.departures import Departures


class Traveller:
    def __init__(self, log: list[str], name: str, fails: bool = False) -> None:
        self.log, self.name, self.fails = log, name, fails

    def leave(self) -> bool:
        self.log.append(self.name)
        if self.fails:
            raise RuntimeError("no")
        return True


def test_everybody_leaves_once_in_the_order_in_which_they_came() -> None:
    departures, log = Departures(), list[str]()
    departures.begin()
    assert departures.gathering
    departures.wait(Traveller(log, "a"))
    departures.wait(Traveller(log, "b"))
    assert log == []
    departures.leave()
    assert log == ["a", "b"]
    assert departures.gathering, "the burst goes on"
    departures.end()
    assert (log, departures.gathering) == (["a", "b"], False)


def test_it_is_told_how_long_it_took_until_all_had_left() -> None:
    departures, took_s = Departures(), deque[float]()
    departures.begin()
    departures.time(took_s, 0.0)
    assert not took_s
    departures.end()
    assert len(took_s) == 1
    departures.time(took_s, 0.0)
    assert len(took_s) == 2
    assert took_s[1] >= took_s[0] > 0


def test_a_burst_ends_whatever_happens() -> None:
    departures, log = Departures(), list[str]()
    departures.begin()
    departures.wait(Traveller(log, "a", fails=True))
    with pytest.raises(RuntimeError):
        departures.end()
    assert not departures.gathering
    departures.leave()
    assert log == ["a"]
