"""Tests of the parts of a recording."""

import pytest

from vmeet_core.pipeline.parts import Part, borders_every, parts, segments_within, spans_within
from vmeet_core.timeline import SegmentSpan, Span

PART = Part(1, 60.0, 120.0, is_last=False)


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
    assert not any(part.is_last for part in parts((60.0,), 120.0, ready_s=120.0))


@pytest.mark.parametrize(
    ("duration_s", "borders"),
    [(0.0, ()), (60.0, ()), (60.9, ()), (61.0, (60.0,)), (180.0, (60.0, 120.0)), (181.5, (60.0, 120.0, 180.0))],
)
def test_no_part_is_shorter_than_a_second(duration_s: float, borders: tuple[float, ...]) -> None:
    assert borders_every(60.0, duration_s) == borders


def span(start_s: float, duration_s: float) -> SegmentSpan:
    return SegmentSpan(file="f", codec="x", clock_hz=1, start_s=start_s, trim_s=0, duration_s=duration_s)


def test_what_may_be_in_a_part() -> None:
    inside = [span(0, 59.6), span(0, 300), span(119.9, 5), span(60, 60)]
    outside = [span(0, 59.4), span(120, 5)]
    assert segments_within([*inside, *outside], PART, 0.5) == tuple(inside)


def test_spans_are_cut_at_the_borders() -> None:
    spans = [Span(start_s=0, end_s=60), Span(start_s=50, end_s=70), Span(start_s=80, end_s=500)]
    assert spans_within(spans, PART) == (Span(start_s=60, end_s=70), Span(start_s=80, end_s=120))
