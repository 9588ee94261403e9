"""Tests of who speaks when, from files."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.voices import PACKET_S, levels
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.sound import levels_role, write_levels
from vmeet_core.pipeline.steps.voices import ROLE, LevelsParams, Voices, read_voices, run, run_levels

RATE_HZ = 48_000
MakeWork = Callable[..., Work]


def sound(path: Path, duration_s: float, *spans: tuple[float, float]) -> Path:
    """Silence as of a microphone that is off, and noisy syllables."""
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    random = np.random.default_rng(len(spans))
    audio = np.zeros(len(at_s))
    for start_s, end_s in spans:
        speaks = (at_s >= start_s) & (at_s < end_s)
        quiet = np.where((at_s - start_s) % 0.3 < 0.2, 0.1, 0.001)
        audio[speaks] = (quiet * random.normal(0, 1, len(at_s)))[speaks]
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(audio.astype(np.float32))
    return path


def test_turns_and_the_floor_of_two_people(tmp_path: Path, make_work: MakeWork) -> None:
    sounds = {"p1": sound(tmp_path / "1.flac", 9.5, (1, 4), (8, 9.4)), "p2": sound(tmp_path / "2.flac", 9.5, (4.5, 7))}
    work = make_work(tmp_path, None, sounds, {ROLE: tmp_path / "voices.json"})
    run(work)
    found = read_voices(tmp_path / "voices.json")
    assert [len(found.turns[person]) for person in ("p1", "p2")] == [2, 1]
    assert found.turns["p2"][0].start_s == pytest.approx(4.5, abs=0.5)
    assert found.turns["p2"][0].end_s == pytest.approx(7, abs=0.5)
    assert [change.person for change in found.floor] == ["p1", "p2", "p1"]
    before = (tmp_path / "voices.json").read_bytes()
    run(make_work(tmp_path, None, sounds, {ROLE: tmp_path / "voices.json"}))
    assert (tmp_path / "voices.json").read_bytes() == before


def test_silence_has_no_turns(tmp_path: Path, make_work: MakeWork) -> None:
    run(make_work(tmp_path, None, {"p1": sound(tmp_path / "1.flac", 2.0)}, {ROLE: tmp_path / "voices.json"}))
    assert read_voices(tmp_path / "voices.json") == Voices(turns={"p1": ()}, floor=())


def test_how_loud_it_was_says_as_much_as_the_sound(tmp_path: Path, make_work: MakeWork) -> None:
    sounds = {"p1": sound(tmp_path / "1.flac", 9.5, (1, 4), (8, 9.4)), "p2": sound(tmp_path / "2.flac", 9.5, (4.5, 7))}
    run(make_work(tmp_path, None, sounds, {ROLE: tmp_path / "whole.json"}))
    loud = {person: levels(read_all(path, RATE_HZ), RATE_HZ) for person, path in sounds.items()}
    edges = (0.0, 4.0, 9.5)
    for number, (start_s, end_s) in enumerate(pairwise(edges)):
        cut = slice(round(start_s / PACKET_S), round(end_s / PACKET_S))
        there = {person: each[cut] for person, each in loud.items() if (person, number) != ("p2", 0)}
        write_levels(tmp_path / f"{number}.npz", there)
    inputs = {levels_role(number): tmp_path / f"{number}.npz" for number in range(2)}
    params = LevelsParams(people=("p1", "p2"), edges_s=edges)
    run_levels(make_work(tmp_path, params, inputs, {ROLE: tmp_path / "parts.json"}))
    assert read_voices(tmp_path / "parts.json") == read_voices(tmp_path / "whole.json")
