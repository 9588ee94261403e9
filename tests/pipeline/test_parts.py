"""Tests of the parts of a recording."""

import pytest

from vmeet_core.pipeline.parts import Part, borders_every, parts


def test_parts_lie_between_the_borders() -> None:
    assert parts((60.0, 120.0), 130.5) == [
        Part(0, 0.0, 60.0, False),
        Part(1, 60.0, 120.0, False),
        Part(2, 120.0, 130.5, True),
    ]
    assert parts((), 9.0) == [Part(0, 0.0, 9.0, True)]


def test_of_a_running_recording_only_what_is_over_counts() -> None:
    assert parts((60.0, 120.0), 130.5, ready_s=60.0) == [Part(0, 0.0, 60.0, False)]
    assert parts((60.0, 120.0), 130.5, ready_s=0.0) == []
    assert parts((), 0.0, ready_s=0.0) == []
    assert parts((60.0,), 120.0, ready_s=120.0) == [Part(0, 0.0, 60.0, False)]


@pytest.mark.parametrize(
    ("duration_s", "borders"),
    [(0.0, ()), (60.0, ()), (60.9, ()), (61.0, (60.0,)), (180.0, (60.0, 120.0)), (181.5, (60.0, 120.0, 180.0))],
)
def test_no_part_is_shorter_than_a_second(duration_s: float, borders: tuple[float, ...]) -> None:
    assert borders_every(60.0, duration_s) == borders
