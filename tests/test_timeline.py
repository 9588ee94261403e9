"""Tests of the time line: synthetic journals whose truth is known."""

import random
from typing import Any

import pytest

from vmeet_core.manifest import (
    AnyEvent,
    Joined,
    Left,
    LeftOut,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    Started,
    Stopped,
)
from vmeet_core.placement import OPUS_PRE_SKIP_S, TimelineError, segment_starts
from vmeet_core.timeline import SegmentSpan, Span, build_timeline, clipped, clipped_spans, segments_within

ZERO_S = 1_700_000_000.0
NTP_S = 2_208_988_800.0  # from 1900 to 1970


def started(at_s: float = ZERO_S) -> Started:
    return Started(at_s=at_s, recording_id="r", meeting_id="m", title="Standup")


def segment(file: str = "a.mkv", wall_s: float = ZERO_S, **given: Any) -> SegmentStarted:
    values = {"participant_id": "p", "source": "microphone", "codec": "opus", "clock_hz": 48_000, "ssrc": 1, "rtp": 0}
    return SegmentStarted(at_s=wall_s, wall_s=wall_s, file=file, **values | given)  # type: ignore[arg-type]


def ended(file: str = "a.mkv", duration_s: float = 10.0) -> SegmentEnded:
    return SegmentEnded(at_s=ZERO_S, file=file, frames=1, duration_s=duration_s)


def stopped(after_s: float) -> Stopped:
    return Stopped(at_s=ZERO_S + after_s, reason="host")


def no_file(file: str) -> float:
    raise AssertionError(f"{file} was asked for")


class Sender:
    """A person whose clock is wrong by ``clock_s``, and whose packets take a random time."""

    def __init__(self, rng: random.Random, name: str) -> None:
        self.rng, self.name = rng, name
        self.clock_s = rng.uniform(-5, 5) * 3600
        self.events: list[AnyEvent] = []
        self.true_s: dict[str, float] = {}
        self.least_delay_s = float("inf")

    def track(self, source: str, clock_hz: int) -> None:
        ssrc, rtp_at_zero = self.rng.getrandbits(32), self.rng.choice([0, 2**32 - 100_000, self.rng.getrandbits(32)])

        def rtp(true_s: float) -> int:
            return (rtp_at_zero + round((true_s - ZERO_S) * clock_hz)) % 2**32

        shared = {"participant_id": self.name, "source": source, "ssrc": ssrc}
        for number in range(3):
            true_s = ZERO_S + number * 100 + self.rng.uniform(0, 50)
            delay_s = self.rng.uniform(0.01, 1.5)
            self.least_delay_s = min(self.least_delay_s, delay_s)
            file = f"{self.name}-{source}-{number}.mkv"
            codec = "opus" if source == "microphone" else "vp8"
            self.events.append(
                segment(file, true_s + delay_s, **shared, codec=codec, clock_hz=clock_hz, rtp=rtp(true_s))
            )
            self.events.append(ended(file, 20.0))
            self.true_s[file] = true_s
        for _ in range(self.rng.randint(1, 4)):  # some come before all segments, some long after
            true_s = ZERO_S + self.rng.uniform(2, 50_000)
            report = SenderReport(
                at_s=true_s + self.rng.uniform(0.01, 0.3),
                ntp_s=true_s + self.clock_s + NTP_S,
                rtp=rtp(true_s),
                **shared,
            )
            self.events.append(report)


@pytest.mark.parametrize("seed", range(30))
def test_what_a_person_sends_stays_as_far_apart_as_it_was_sent(seed: int) -> None:
    rng = random.Random(seed)
    senders = [Sender(rng, name) for name in ("ann", "bob")]
    for sender in senders:
        sender.track("microphone", 48_000)
        sender.track("camera", 90_000)
    events = [event for sender in senders for event in sender.events]
    rng.shuffle(events)
    starts = segment_starts([started(), *events])
    for sender in senders:
        for file, true_s in sender.true_s.items():
            assert starts[file] - true_s == pytest.approx(sender.least_delay_s, abs=1e-4)


def test_an_rtp_clock_that_wrapped_more_than_once_since_the_report_is_followed() -> None:
    hours_s = 30 * 3600.0  # 90 kHz wraps after 13.3 hours
    report = SenderReport(at_s=ZERO_S, participant_id="p", source="camera", ssrc=1, ntp_s=NTP_S, rtp=7)
    late = segment(source="camera", clock_hz=90_000, rtp=(7 + round(hours_s * 90_000)) % 2**32, wall_s=ZERO_S + hours_s)
    first = segment("b.mkv", source="camera", clock_hz=90_000, rtp=7, wall_s=ZERO_S + 0.25)
    starts = segment_starts([started(), report, first, late])
    assert starts["a.mkv"] - starts["b.mkv"] == pytest.approx(hours_s, abs=1e-4)


def test_without_a_report_a_segment_begins_when_it_arrived() -> None:
    reported = SenderReport(at_s=ZERO_S + 5, participant_id="p", source="camera", ssrc=9, ntp_s=NTP_S, rtp=0)
    assert segment_starts([started(), reported, segment(wall_s=ZERO_S + 3.5)]) == {"a.mkv": ZERO_S + 3.5}


def test_a_rejoin_from_a_device_with_another_clock_does_not_move_what_was_before() -> None:
    def report(ssrc: int, clock_s: float) -> SenderReport:
        return SenderReport(
            at_s=ZERO_S + 1, participant_id="p", source="microphone", ssrc=ssrc, ntp_s=NTP_S + clock_s, rtp=0
        )

    first, second = segment(ssrc=1, wall_s=ZERO_S + 1), segment("b.mkv", ssrc=2, wall_s=ZERO_S + 60)
    starts = segment_starts([started(), report(1, 0), report(2, 7200), first, second])
    assert starts == {"a.mkv": pytest.approx(ZERO_S + 1), "b.mkv": pytest.approx(ZERO_S + 60)}


def test_what_lies_before_the_start_and_after_the_end_is_trimmed_not_shifted() -> None:
    events = [
        started(),
        segment(wall_s=ZERO_S - 2),
        ended(),
        segment("b.mkv", ZERO_S + 15),
        ended("b.mkv"),
        stopped(20),
    ]
    timeline = build_timeline(events, no_file)
    early, late = timeline.people[0].segments("microphone")
    assert (early.start_s, early.trim_s, early.duration_s) == (0, 2, 8)
    assert (late.start_s, late.trim_s, late.duration_s) == (15, 0, 5)
    assert (timeline.duration_s, timeline.complete, early.file) == (20, True, "segments/a.mkv")


def test_a_segment_outside_the_recording_is_left_out() -> None:
    timeline = build_timeline([started(), segment(wall_s=ZERO_S - 30), ended(), stopped(20)], no_file)
    assert timeline.people[0].segments("microphone") == ()


def test_after_a_crash_the_files_say_how_long_it_was() -> None:
    events = [started(), segment(wall_s=ZERO_S + 1), segment("b.mkv", ZERO_S + 4), ended("b.mkv", 2.0)]
    timeline = build_timeline(events, {"a.mkv": 7.5}.__getitem__)
    assert (timeline.duration_s, timeline.complete) == (8.5, False)
    assert [span.duration_s for span in timeline.people[0].segments("microphone")] == [7.5, 2.0]


def test_names_presence_and_mutes() -> None:
    def at(after_s: float, kind: type[Any], **values: Any) -> Any:
        return kind(at_s=ZERO_S + after_s, participant_id="p", **values)

    events = [
        started(),
        at(-5, Joined, name="Ann"),
        at(2, Muted, source="camera", muted=True),
        at(3, Joined, name="Ann Lee"),
        at(4, Muted, source="camera", muted=False),
        at(6, Left),
        at(8, Joined, name="Ann Lee"),
        at(9, Muted, source="microphone", muted=True),
        stopped(10),
    ]
    (person,) = build_timeline(events, no_file).people
    assert person.name == "Ann Lee"
    assert person.present == (Span(start_s=0, end_s=6), Span(start_s=8, end_s=10))
    assert person.muted("camera") == (Span(start_s=2, end_s=4),)
    assert person.muted("microphone") == (Span(start_s=9, end_s=10),)


def test_a_person_whose_joining_was_not_noted_is_there_while_heard() -> None:
    (person,) = build_timeline([started(), segment(wall_s=ZERO_S + 1), ended(), stopped(20)], no_file).people
    assert (person.name, person.present) == ("p", (Span(start_s=1, end_s=11),))


def test_a_journal_without_its_first_line_is_refused() -> None:
    with pytest.raises(TimelineError, match="first line is missing"):
        build_timeline([segment(), stopped(1)], no_file)


@pytest.mark.parametrize("file", ["../a.mkv", "/etc/passwd", "a\\b.mkv", "", ".."])
def test_a_segment_outside_the_folder_is_refused(file: str) -> None:
    with pytest.raises(TimelineError, match="outside the recording's folder"):
        build_timeline([started(), segment(file), stopped(1)], lambda _: 1.0)


def word(after_s: float, left_out: bool, person: str = "p") -> LeftOut:
    return LeftOut(at_s=ZERO_S + after_s, participant_id=person, left_out=left_out, by="self")


def here(after_s: float, person: str = "p") -> Joined:
    return Joined(at_s=ZERO_S + after_s, participant_id=person, name=person)


def test_whoever_is_left_out_has_no_place_meanwhile() -> None:
    events = [started(), here(0), segment(), ended(), word(10, True), here(12), word(20, False), word(25, True)]
    (person,) = build_timeline([*events, word(26, False), stopped(30)], no_file).people
    spans = [(0, 10), (20, 25), (26, 30)]
    assert person.present == tuple(Span(start_s=start_s, end_s=end_s) for start_s, end_s in spans)
    assert len(person.segments("microphone")) == 1


def test_whoever_is_left_out_throughout_is_no_part_of_it() -> None:
    muted = Muted(at_s=ZERO_S, participant_id="q", source="camera", muted=True)
    events = [started(), here(0), here(0, "q"), muted, word(0, True, "q"), segment(), ended(), stopped(30)]
    assert [person.id for person in build_timeline(events, no_file).people] == ["p"]
    back = build_timeline([*events[:-1], word(20, False, "q"), stopped(30)], no_file).people
    assert [(person.id, person.present) for person in back][1] == ("q", (Span(start_s=20, end_s=30),))


def in_parts() -> Started:
    return started().model_copy(update={"part_s": 10.0})


def test_what_a_file_repeats_is_not_laid_out_again() -> None:
    first, second = segment(), segment("b.mkv", ZERO_S + 11, rtp=11 * 48_000, preroll_s=0.4)
    events = [in_parts(), first, ended(duration_s=11.0), second, ended("b.mkv", 5.4), stopped(20)]
    one, two = build_timeline(events, no_file).people[0].segments("microphone")
    assert (one.start_s, one.trim_s, one.duration_s) == (0, 0, 11)
    assert (two.start_s, two.trim_s, two.duration_s) == (
        pytest.approx(11 - OPUS_PRE_SKIP_S),
        0.4,
        pytest.approx(5.0),
    )


def test_a_recording_that_was_killed_is_as_long_as_its_files_less_what_they_repeat() -> None:
    events = [in_parts(), segment("b.mkv", ZERO_S + 11, preroll_s=0.4)]
    assert build_timeline(events, lambda file: 7.4).duration_s == pytest.approx(18, abs=0.01)


def test_a_span_of_a_timeline() -> None:
    def muted(after_s: float, on: bool) -> Muted:
        return Muted(at_s=ZERO_S + after_s, participant_id="p", source="camera", muted=on)

    events = [here(0), segment(), ended(duration_s=9.8), muted(2, True), here(4, "q"), muted(14, False), here(31, "r")]
    events += [segment("b.mkv", ZERO_S + 21), ended("b.mkv", 5), Left(at_s=ZERO_S + 28, participant_id="p")]
    timeline = build_timeline([in_parts(), *events, stopped(40)], no_file)
    first, second, fourth = (clipped(timeline, from_s, from_s + 10) for from_s in (0, 10, 30))
    ann, ben = first.people
    assert (ann.present, ben.present) == ((Span(start_s=0, end_s=10),), (Span(start_s=4, end_s=10),))
    assert ann.muted("camera") == (Span(start_s=2, end_s=10),)
    assert [span.file for span in ann.segments("microphone")] == ["segments/a.mkv"]
    assert (first.duration_s, first.complete) == (10, True)
    assert second.people[0].muted("camera") == (Span(start_s=10, end_s=14),)
    assert [span.end_s for span in second.people[0].segments("microphone")] == [9.8]  # its last packet goes on
    assert [person.id for person in fourth.people] == ["q", "r"]
    assert clipped(timeline, 0, 40) == timeline


def test_what_may_give_something_in_a_span() -> None:
    def span(start_s: float, duration_s: float) -> SegmentSpan:
        return SegmentSpan(file="f", codec="x", clock_hz=1, start_s=start_s, trim_s=0, duration_s=duration_s)

    inside = [span(0, 59.6), span(0, 300), span(119.9, 5), span(60, 60)]
    outside = [span(0, 59.4), span(120, 5)]
    assert segments_within([*inside, *outside], 60, 120) == tuple(inside)


def test_spans_are_cut_at_the_ends_of_another_one() -> None:
    spans = [Span(start_s=0, end_s=60), Span(start_s=50, end_s=70), Span(start_s=80, end_s=500)]
    assert clipped_spans(spans, 60, 120) == (Span(start_s=60, end_s=70), Span(start_s=80, end_s=120))
