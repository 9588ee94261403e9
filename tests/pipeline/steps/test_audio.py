"""Tests of one person's sound on the time line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ, beep, level, onset_s, tone, write_opus

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import read_all, sound_info
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import ROLE, Params, laid_out, run
from vmeet_core.timeline import SegmentSpan

MakeWork = Callable[..., Work]


def span(file: str, start_s: float, duration_s: float, trim_s: float = 0.0) -> SegmentSpan:
    return SegmentSpan(file=file, codec="opus", clock_hz=RATE_HZ, start_s=start_s, trim_s=trim_s, duration_s=duration_s)


def laid(folder: Path, *segments: SegmentSpan, total_s: float) -> Audio:
    return np.concatenate(list(laid_out(folder, segments, round(total_s * RATE_HZ))))


def test_a_flac_of_24_bits_as_long_as_the_recording(tmp_path: Path, make_work: MakeWork) -> None:
    write_opus(tmp_path / "a.mkv", 2.0, beep(1.0))
    params = Params(segments=(span("a.mkv", 1.25, 2.0),), duration_s=4.00001)
    run(make_work(tmp_path, params, {}, {ROLE: tmp_path / "out.flac"}))
    audio = read_all(tmp_path / "out.flac", RATE_HZ)
    assert len(audio) == 192_000  # 4.00001 s is 192000.48 samples
    assert onset_s(audio) == pytest.approx(2.25, abs=0.01)
    info = sound_info(tmp_path / "out.flac")
    assert (info.sample_rate_hz, info.channels) == (RATE_HZ, 1)
    assert np.unique(np.round(audio * 2**23) % 256).size > 1  # more than 16 bits


def test_segments_lie_where_they_belong_with_silence_between(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.mkv"):
        write_opus(tmp_path / name, 1.0, tone())
    audio = laid(tmp_path, span("a.mkv", 0.5, 1.0), span("b.mkv", 3.0, 1.0), total_s=5.0)
    for from_s, to_s, is_loud in ((0, 0.49, False), (0.55, 1.45, True), (1.55, 2.95, False), (3.05, 3.95, True)):
        assert (level(audio[round(from_s * RATE_HZ) : round(to_s * RATE_HZ)]) > 0.05) == is_loud
    assert len(audio) == 5 * RATE_HZ


def test_where_two_overlap_the_later_one_is_heard(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 3.0, tone(level=0.4))
    write_opus(tmp_path / "b.mkv", 1.0, tone(level=0.1))
    audio = laid(tmp_path, span("a.mkv", 0, 3.0), span("b.mkv", 1.0, 1.0), total_s=3.0)
    assert level(audio[50_000:90_000]) == pytest.approx(0.1 / np.sqrt(2), rel=0.1)


def test_the_last_packet_is_heard_though_the_journal_counts_to_its_start(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 1.0, tone())
    audio = laid(tmp_path, span("a.mkv", 0, 0.98), total_s=1.0)
    assert level(audio[-800:]) > 0.05


def test_the_trimmed_beginning_is_not_heard(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 3.0, beep(2.0))
    assert onset_s(laid(tmp_path, span("a.mkv", 0, 1.5, trim_s=1.5), total_s=1.5)) == pytest.approx(0.5, abs=0.01)
