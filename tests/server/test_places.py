"""Bounded places."""

import pytest

from vmeet_core.server.places import NoPlace, Places


def test_whoever_finds_none_free_is_turned_away() -> None:
    places = Places(2)
    with places.taken():
        with places.taken(), pytest.raises(NoPlace), places.taken():
            raise AssertionError("there were only two")
        with places.taken():
            pass


def test_a_place_is_free_again_after_a_failure() -> None:
    places = Places(1)
    with pytest.raises(KeyError), places.taken():
        raise KeyError
    with places.taken():
        pass
