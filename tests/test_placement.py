"""Where segments of a recording in parts begin: causal, without a step from part to part, and following clocks."""

import random
from itertools import pairwise
from typing import Any

import pytest

from vmeet_core.manifest import AnyEvent, SegmentStarted, SenderReport, Started, part_of
from vmeet_core.placement import OPUS_PRE_SKIP_S, STEADY_S, segment_starts

ZERO_S, NTP_S, PART_S = 1_700_000_000.0, 2_208_988_800.0, 60.0
CLOCK_HZ = {"microphone": 48_000, "camera": 90_000}


def started() -> Started:
    return Started(at_s=ZERO_S, recording_id="r", meeting_id="m", title="t", part_s=PART_S)


class Sender:
    """``drift`` is how much faster its clock runs; its reports are wrong by up to ``wrong_s``."""

    def __init__(self, drift: float = 0.0, wrong_s: float = 0.0) -> None:
        self._rng = random.Random(1)
        self._drift, self._wrong_s = drift, wrong_s

    def _values(self, source: str) -> dict[str, Any]:
        return {"participant_id": "p", "source": source, "ssrc": len(source)}

    def _rtp(self, source: str, true_s: float) -> int:
        return (2**32 - 500_000 + round(true_s * (1 + self._drift) * CLOCK_HZ[source])) % 2**32

    def segment(self, source: Any, true_s: float, delay_s: float, **given: Any) -> SegmentStarted:
        values = {"codec": "opus" if source == "microphone" else "vp8", "clock_hz": CLOCK_HZ[source]}
        wall_s, file = ZERO_S + true_s + delay_s, f"{source}-{round(true_s)}.mkv"
        return SegmentStarted.model_validate(
            self._values(source)
            | values
            | {"at_s": wall_s, "wall_s": wall_s, "file": file, "rtp": self._rtp(source, true_s)}
            | given
        )

    def report(self, source: Any, true_s: float) -> SenderReport:
        ntp_s = NTP_S + true_s * (1 + self._drift) + self._rng.uniform(-self._wrong_s, self._wrong_s)
        return SenderReport.model_validate(
            self._values(source) | {"at_s": ZERO_S + true_s + 0.02, "ntp_s": ntp_s, "rtp": self._rtp(source, true_s)}
        )

    def rolls(self, parts: int, delays_s: tuple[float, ...] = (0.02,)) -> list[AnyEvent]:
        """Both tracks, in a new file for each part; ``delays_s`` are those of their first frames, by turns."""
        events: list[AnyEvent] = [started()]
        for part in range(parts):
            at_s, delay_s = part * PART_S + 1.05 * bool(part), delays_s[part % len(delays_s)]
            preroll = {"preroll_s": 0.4} if part else {}
            events.append(self.segment("microphone", at_s, delay_s, **preroll))
            events.append(self.segment("camera", at_s + 0.3, delay_s))
            events += [self.report(source, at_s + after_s) for after_s in (2, 30) for source in CLOCK_HZ]
        return events


def starts_of(events: list[AnyEvent], source: str) -> list[float]:
    """Where the first new frames lie, in seconds of the recording."""
    starts = segment_starts(events)
    return [
        starts[event.file] - ZERO_S + (OPUS_PRE_SKIP_S if event.preroll_s else 0.0)
        for event in events
        if isinstance(event, SegmentStarted) and event.source == source
    ]


def test_sound_goes_on_to_the_sample_however_late_its_packets_are() -> None:
    events = Sender(wrong_s=0.004).rolls(8, (0.02, 0.3, 0.05, 1.2))
    starts = starts_of(events, "microphone")
    sent = [event.rtp for event in events if isinstance(event, SegmentStarted) and event.source == "microphone"]
    for (before_s, after_s), (before, after) in zip(pairwise(starts), pairwise(sent), strict=True):
        assert after_s - before_s == pytest.approx((after - before) % 2**32 / 48_000, abs=1e-5)


def test_pictures_stay_with_the_sound() -> None:
    events = Sender(wrong_s=0.004).rolls(8, (0.02, 0.3, 0.05, 1.2))
    for sound_s, picture_s in zip(starts_of(events, "microphone"), starts_of(events, "camera"), strict=True):
        assert picture_s - sound_s == pytest.approx(0.3, abs=STEADY_S + 0.008)


@pytest.mark.parametrize("drift", [2e-4, -2e-4])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    """In three hours such a clock goes wrong by two seconds. What was fast long ago counts no more."""
    events = Sender(drift).rolls(180)
    for source, extra_s in (("microphone", 0.0), ("camera", 0.3)):
        for part, start_s in enumerate(starts_of(events, source)):
            true_s = part * PART_S + 1.05 * bool(part) + extra_s
            assert start_s == pytest.approx(true_s + 0.02, abs=0.16), (source, part)


def test_a_first_frame_that_was_late_does_not_move_all() -> None:
    """Reports tell by how much, before another frame does."""
    for source, extra_s in (("microphone", 0.0), ("camera", 0.3)):
        starts = starts_of(Sender().rolls(4, (0.3, 0.02, 0.02, 0.02)), source)
        wanted = [part * PART_S + 1.05 * bool(part) + extra_s + 0.02 for part in range(4)]
        assert starts == pytest.approx(wanted, abs=1e-4)


def test_what_is_sent_long_after_it_was_made_is_not_placed_before_its_part() -> None:
    """New files begin by the time of arrival, two seconds after this sender's pictures are made."""
    sender = Sender()
    events: list[AnyEvent] = [started(), *(sender.report("camera", at_s) for at_s in range(5, 240, 5))]
    events += [sender.segment("camera", part * PART_S + 1.05 * bool(part) - 2, 2) for part in range(4)]
    starts = starts_of(events, "camera")
    assert [start_s // PART_S for start_s in starts[1:]] == [1, 2, 3]
    assert all(after_s - before_s == pytest.approx(PART_S) for before_s, after_s in pairwise(starts[1:]))


def test_small_changes_of_the_network_move_nothing() -> None:
    events = Sender().rolls(30, (0.030, 0.025, 0.022, 0.020))
    starts = starts_of(events, "camera")
    assert [round(start_s % PART_S, 6) for start_s in starts[1:]] == [1.37] * 29


def test_somebody_who_comes_back_with_another_clock_is_placed_by_it() -> None:
    first, second = Sender(), Sender()
    events = [*first.rolls(2), second.segment("camera", 150, 0.05, ssrc=99)]
    wrong = second.report("camera", 152)
    events.append(wrong.model_copy(update={"ssrc": 99, "ntp_s": wrong.ntp_s + 7200}))
    assert starts_of(events, "camera") == [pytest.approx(0.32), pytest.approx(61.37), pytest.approx(150.02)]


def test_without_reports_sound_goes_on_all_the_same() -> None:
    events = [event for event in Sender().rolls(4, (0.02, 0.09)) if not isinstance(event, SenderReport)]
    starts = starts_of(events, "microphone")
    assert starts == [pytest.approx(0.02 + part * PART_S + 1.05 * bool(part), abs=1e-4) for part in range(4)]


def test_the_moment_after_a_border_counts_to_the_part_before() -> None:
    parts = [part_of(started(), ZERO_S + at_s) for at_s in (-5, 0, 60.9, 61.1, 120.9, 121.1)]
    assert parts == [0, 0, 0, 1, 1, 2]
    assert part_of(started().model_copy(update={"part_s": None}), ZERO_S + 1000) == 0
