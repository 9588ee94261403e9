"""Gaps in a tone, as a page hears it block by block."""

import pytest
from network_probe import BLOCK_S, gaps_s

LOUD, QUIET = 0.2, 0.001


def blocks(*stretches: tuple[float, float]) -> list[tuple[float, float]]:
    """Levels from (length in s, level) stretches, on end."""
    levels = [level for length_s, level in stretches for _ in range(round(length_s / BLOCK_S))]
    return [(7.0 + number * BLOCK_S, level) for number, level in enumerate(levels)]


def test_a_steady_tone_has_no_gaps() -> None:
    assert gaps_s(blocks((1.0, LOUD))) == []
    assert gaps_s(blocks((0.5, LOUD), (0.5, LOUD / 5))) == [], "softer is no gap"


def test_quiet_stretches_are_gaps_at_the_ends_too() -> None:
    heard = blocks((0.1, QUIET), (0.5, LOUD), (0.25, QUIET), (0.5, LOUD), (0.03, QUIET))
    assert gaps_s(heard) == pytest.approx([0.1, 0.25, 0.03])


def test_sound_that_does_not_come_is_a_gap() -> None:
    heard = [(at_s + (0.3 if at_s > 7.4 else 0.0), level) for at_s, level in blocks((1.0, LOUD))]
    assert gaps_s(heard) == pytest.approx([0.3])


@pytest.mark.parametrize("heard", [[], blocks((1.0, QUIET)), blocks((0.3, LOUD), (0.7, QUIET))])
def test_no_tone_at_all_is_an_error(heard: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="not heard"):
        gaps_s(heard)
