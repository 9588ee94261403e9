"""What is settled of a recording that runs: real recorders, simulated people, and journals written by hand."""

from pathlib import Path
from typing import Any

import pytest
from journal_prefixes import assert_settled
from recorded_people import Simulation

from vmeet_core.manifest import (
    AnyEvent,
    Left,
    LeftOut,
    Mark,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    Started,
    Stopped,
)
from vmeet_core.placement import OPUS_PRE_SKIP_S, REPORT_WAIT_S, TimelineError
from vmeet_core.readiness import SETTLES_S, ready_s
from vmeet_core.timeline import build_timeline

ZERO_S, PART_S, NTP_S = 1_700_000_000.0, 10.0, 2_208_988_800.0


def started(part_s: float | None = PART_S) -> Started:
    return Started(at_s=ZERO_S, recording_id="r", meeting_id="m", title="t", part_s=part_s)


def segment(file: str, at_s: float, source: Any = "microphone", late_s: float = 0.0, **given: Any) -> SegmentStarted:
    values = {
        "codec": "opus",
        "clock_hz": 48_000,
        "ssrc": 1,
        "rtp": round(at_s * 48_000),
        "participant_id": "p",
    } | given
    wall_s = ZERO_S + at_s + late_s
    return SegmentStarted(at_s=wall_s + 60, wall_s=wall_s, file=file, source=source, **values)  # type: ignore[arg-type]


def ended(file: str) -> SegmentEnded:
    return SegmentEnded(at_s=ZERO_S + 1000, file=file, frames=1, duration_s=1.0)


def report(at_s: float, **given: Any) -> SenderReport:
    """Under way for so long that it tells nothing of that."""
    sent_s = at_s - 1
    values = {"participant_id": "p", "source": "microphone", "ssrc": 1, "rtp": round(sent_s * 48_000) % 2**32} | given
    return SenderReport(at_s=ZERO_S + at_s, ntp_s=NTP_S + sent_s, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_settled_stays_whatever_comes(tmp_path: Path, seed: int) -> None:
    simulation = Simulation(seed, seconds=80 + 10 * (seed % 4), part_s=PART_S)
    events = simulation.record(tmp_path / "r")
    # A camera whose keyframe never comes, or somebody who joins late, may leave less of it.
    assert assert_settled(events) >= 3


def test_a_part_is_settled_some_time_after_its_end_when_its_files_are_finished() -> None:
    begun: list[AnyEvent] = [started(), segment("a.mkv", 1)]
    late = report(PART_S + SETTLES_S)
    assert ready_s([*begun, ended("a.mkv"), segment("b.mkv", 11), report(PART_S + SETTLES_S - 0.1)]) == 0
    assert ready_s([*begun, ended("a.mkv"), segment("b.mkv", 11), late]) == PART_S
    mark = Mark(at_s=ZERO_S + PART_S + SETTLES_S)
    assert ready_s([*begun, ended("a.mkv"), segment("b.mkv", 11), mark]) == PART_S
    assert ready_s([*begun, late]) == 0
    assert ready_s([*begun, ended("a.mkv"), segment("b.mkv", 9), late]) == 0
    assert ready_s([*begun, ended("a.mkv"), segment("b.mkv", 19), report(40)]) == PART_S


def test_when_a_file_was_written_says_nothing_of_what_came_before() -> None:
    assert ready_s([started(), segment("a.mkv", 1), ended("a.mkv")]) == 0


@pytest.mark.parametrize(
    "end",
    [
        Left(at_s=ZERO_S + 30, participant_id="p"),
        Muted(at_s=ZERO_S + 30, participant_id="p", source="microphone", muted=True),
        LeftOut(at_s=ZERO_S + 30, participant_id="p", left_out=True, by="host"),
        segment("c.mkv", 30),
    ],
)
def test_a_file_that_could_not_be_finished_holds_nothing_up_when_its_source_ended(end: AnyEvent) -> None:
    assert ready_s([started(), segment("a.mkv", 1), report(50)]) == 0
    assert ready_s([started(), segment("a.mkv", 1), end, report(50)]) == 30


def test_a_finished_recording_is_settled_up_to_its_last_border() -> None:
    assert ready_s([started(), segment("a.mkv", 1), Stopped(at_s=ZERO_S + 39, reason="host")]) == 30


def test_without_parts_nothing_is_settled_before_the_end() -> None:
    assert ready_s([started(None), segment("a.mkv", 1), ended("a.mkv"), report(100)]) == 0


def test_a_journal_without_its_first_line_is_refused() -> None:
    with pytest.raises(TimelineError, match="first line is missing"):
        ready_s([report(1)])


def reports(*times_s: float, **given: Any) -> list[AnyEvent]:
    return [report(at_s, **given) for at_s in times_s]


def starts_s(events: list[AnyEvent]) -> dict[str, tuple[float, float]]:
    """When files begin on the time line, and from what time in the file on."""
    (person,) = build_timeline(events, lambda file: 1.0).people
    return {s.file.removeprefix("segments/"): (s.start_s, s.trim_s) for t in person.tracks for s in t.segments}


def test_what_is_late_at_a_border_does_not_begin_before_it() -> None:
    first = [started(), *reports(0.5), segment("a.mkv", 0.6, late_s=0.01), ended("a.mkv")]
    late = segment("b.mkv", 9.5, late_s=1.6)
    events = [*first, late, ended("b.mkv").model_copy(update={"duration_s": 8.0}), *reports(12, 18, 24, 30, 36, 42)]
    assert starts_s(events)["b.mkv"] == (PART_S, pytest.approx(0.49 + OPUS_PRE_SKIP_S))
    assert assert_settled(events) == 2


def test_a_faster_packet_moves_nothing_of_the_parts_before() -> None:
    first = [started(), *reports(0.5), segment("a.mkv", 11.2, late_s=0.3), ended("a.mkv"), *reports(14)]
    events = [*first, segment("b.mkv", 21.5, late_s=0.01), ended("b.mkv"), *reports(22, 32, 42, 52, 53)]
    assert {file: round(at_s, 6) for file, (at_s, _) in starts_s(events).items()} == {"a.mkv": 11.5, "b.mkv": 21.51}
    assert assert_settled(events) == 3


def test_a_report_that_comes_too_late_places_nothing() -> None:
    """Of the camera, which tells by how much the microphone's first packet was late, some reports were lost."""
    camera = {"ssrc": 2, "source": "camera", "codec": "vp8"}
    first = [started(), *reports(0.5, ssrc=2, source="camera"), segment("c.mkv", 5, late_s=0.01, **camera)]
    first += [ended("c.mkv"), segment("a.mkv", 5, late_s=0.5), ended("a.mkv")]
    rest = reports(24, 34, 44, ssrc=2, source="camera")
    assert starts_s([*first, *reports(5.5 + REPORT_WAIT_S - 0.1), *rest])["a.mkv"][0] == pytest.approx(5.01)
    too_late = [*first, *reports(5.5 + REPORT_WAIT_S + 8), *rest]
    assert starts_s(too_late)["a.mkv"][0] == pytest.approx(5.5)
    assert assert_settled(too_late) >= 2
