"""Tests of everybody's sound in parts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ, level, tone, write_opus

from vmeet_core.media.audio import read_all
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.pieces import piece_role
from vmeet_core.pipeline.steps.sound import Params, levels_role, read_levels, run, write_levels
from vmeet_core.timeline import SegmentSpan

MakeWork = Callable[..., Work]


def span(file: str, start_s: float, duration_s: float) -> SegmentSpan:
    return SegmentSpan(file=file, codec="opus", clock_hz=RATE_HZ, start_s=start_s, trim_s=0, duration_s=duration_s)


def test_each_part_has_the_sound_of_those_who_were_heard(tmp_path: Path, make_work: MakeWork) -> None:
    write_opus(tmp_path / "a.mkv", 5.0, tone(level=0.1))
    write_opus(tmp_path / "b.mkv", 1.0, tone(level=0.2))
    people = {"a/1": (span("a.mkv", 0.5, 5.0),), "b": (span("b.mkv", 4.0, 1.0),)}
    params = Params(first=3, edges_s=(1.0, 3.0, 5.5), people=people)
    outputs = {
        piece_role(3, "a/1"): tmp_path / "3a.flac",
        piece_role(4, "a/1"): tmp_path / "4a.flac",
        piece_role(4, "b"): tmp_path / "4b.flac",
        levels_role(3): tmp_path / "3.npz",
        levels_role(4): tmp_path / "4.npz",
    }
    run(make_work(tmp_path, params, {}, outputs))
    assert len(read_all(outputs["3:a/1"], RATE_HZ)) == 2 * RATE_HZ
    late = read_all(outputs["4:b"], RATE_HZ)
    assert len(late) == 2.5 * RATE_HZ
    assert level(late[: round(0.9 * RATE_HZ)]) == 0
    assert level(late[round(1.1 * RATE_HZ) : round(1.9 * RATE_HZ)]) == pytest.approx(0.2 / np.sqrt(2), rel=0.1)
    first, second = read_levels(outputs["levels:3"]), read_levels(outputs["levels:4"])
    assert list(first) == ["a/1"]
    assert first["a/1"].shape == (100,)
    assert list(second) == ["a/1", "b"]
    assert second["b"].shape == (125,)
    assert (second["b"] == 127).sum() > 50


def test_parts_within_a_second_are_refused(tmp_path: Path, make_work: MakeWork) -> None:
    params = Params(first=0, edges_s=(0.0, 1.5, 3.0), people={})
    with pytest.raises(ValueError, match="whole seconds"):
        run(make_work(tmp_path, params, {}, {}))


def test_levels_survive_a_file(tmp_path: Path) -> None:
    loud = {"../x": np.arange(3, dtype=np.uint8), "p0": np.zeros(0, np.uint8)}
    write_levels(tmp_path / "l", loud)
    found = read_levels(tmp_path / "l")
    assert list(found) == list(loud)
    assert all(np.array_equal(found[each], loud[each]) for each in loud)
    write_levels(tmp_path / "l", {})
    assert read_levels(tmp_path / "l") == {}
