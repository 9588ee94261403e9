"""Tests of the step that writes down what is said: of the whole, and of parts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import RATE_HZ, level, tone

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.transcript import Utterance
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.transcribe import BEFORE, LAG_S, NOW, ROLE, Params, read_speech, run
from vmeet_core.plugins import Registry

MakeWork = Callable[..., Work]
pytestmark = pytest.mark.usefixtures("registry")


WORD_S, PERIOD_S = 0.4, 0.5


def spoken(duration_s: float, *said: tuple[float, float, float]) -> Audio:
    """Two tones a second for each of ``said`` (start, end, pitch), in a room that is not quite silent."""
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    audio = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), len(at_s)).astype(np.float32)
    for start_s, end_s, pitch_hz in said:
        within = (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % PERIOD_S < WORD_S)
        audio[within] += tone(pitch_hz)(at_s[within])
    return audio


def write(path: Path, audio: Audio) -> Path:
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(audio)
    return path


@pytest.fixture
def heard(tmp_path: Path, make_work: MakeWork) -> Callable[..., list[Utterance]]:
    def hear(inputs: dict[str, Path], **given: Any) -> list[Utterance]:
        chosen = {"transcriber": "tones", "options": {}, "language": "zh", "hot_words": ("Ann",), "people": ("ann",)}
        run(make_work(tmp_path, Params(**(chosen | given)), inputs, {ROLE: tmp_path / "speech.json"}))
        return list(read_speech(tmp_path / "speech.json").utterances)

    return hear


def told_s(utterances: Sequence[Utterance]) -> float:
    return sum(each.end_s - each.start_s for each in utterances)


def brief(utterances: Sequence[Utterance]) -> list[tuple[str, float, str]]:
    return [(each.person, round(each.start_s, 1), each.text) for each in utterances]


def test_the_whole_sound_of_everybody(heard: Callable[..., list[Utterance]], tmp_path: Path) -> None:
    ann = write(tmp_path / "a.flac", spoken(30, (3.0, 4.0, 400), (20.0, 21.5, 800)))
    bob = write(tmp_path / "b.flac", spoken(30, (5.0, 6.0, 600)))
    inputs = {f"{NOW}:ann": ann, f"{NOW}:bob": bob}
    options = {"trace": str(tmp_path / "trace")}
    found = heard(inputs, people=("ann", "bob"), options=options)
    assert brief(found)[::2] == [("ann", 3.0, "400"), ("ann", 20.0, "800"), ("ann", 21.0, "800"), ("bob", 5.5, "600")]
    assert found[0].words[0].start_s == found[0].start_s
    assert found[4].end_s == pytest.approx(21.4, abs=0.05)
    trace = (tmp_path / "trace").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in trace] == ["zh Ann ", "zh Ann 400 400", "zh Ann "]


@pytest.mark.parametrize("border_s", [6.0, 13.0, 13.4, 15.0, 19.0, 26.0])
def test_parts_say_what_the_whole_says_once(
    heard: Callable[..., list[Utterance]], tmp_path: Path, border_s: float
) -> None:
    """Wherever the border is: also in the middle of a word, and though somebody speaks for longer than the lag."""
    said = [
        (1.0, 5.5, 300),
        (6.5, 9.0, 400),
        (12.6, 14.2, 500),
        (14.9, 22.0, 600),
        (23.5, 25.0, 700),
        (27.0, 39.0, 800),
    ]
    audio = spoken(40, *((start_s, end_s, float(pitch_hz)) for start_s, end_s, pitch_hz in said))
    border = round(border_s * RATE_HZ)
    first, second = write(tmp_path / "0.flac", audio[:border]), write(tmp_path / "1.flac", audio[border:])
    parts = [
        heard({f"{NOW}:ann": first}, duration_s=border_s, is_last=False),
        heard({f"{BEFORE}:ann": first, f"{NOW}:ann": second}, before_s=border_s, duration_s=40 - border_s),
    ]
    found = [utterance for part in parts for utterance in part]
    for start_s, end_s, pitch_hz in said:
        mine = [each for each in found if each.text == str(pitch_hz)]
        assert min(each.start_s for each in mine) == pytest.approx(start_s, abs=0.05)
        words = int((end_s - start_s + PERIOD_S - WORD_S) / PERIOD_S)
        assert told_s(mine) == pytest.approx(words * WORD_S, abs=0.3)  # the last one may be short
        assert max(each.end_s for each in mine) == pytest.approx(end_s, abs=0.25)


def test_somebody_who_falls_silent_at_the_border(heard: Callable[..., list[Utterance]], tmp_path: Path) -> None:
    audio = spoken(20, (17.0, 20.0, 500))
    first = write(tmp_path / "0.flac", audio)
    before = heard({f"{NOW}:ann": first}, duration_s=20.0, is_last=False)
    after = heard({f"{BEFORE}:ann": first}, from_s=100.0, before_s=20.0, duration_s=20.0, is_last=False)
    assert told_s([*before, *after]) == pytest.approx(6 * WORD_S, abs=0.1)
    assert all(each.start_s >= 100 for each in after)
    assert LAG_S < 20


def test_a_piece_of_another_length_is_a_fault(heard: Callable[..., list[Utterance]], tmp_path: Path) -> None:
    audio = write(tmp_path / "0.flac", spoken(5, (1.0, 2.0, 500)))
    assert level(spoken(5, (1.0, 2.0, 500))) > 0
    with pytest.raises(ValueError, match="samples"):
        heard({f"{NOW}:ann": audio}, duration_s=6.0)


def test_silence_is_not_asked_about(heard: Callable[..., list[Utterance]], tmp_path: Path, registry: Registry) -> None:
    assert "tones" in registry.providers["transcribers"]
    audio = write(tmp_path / "0.flac", spoken(20))
    assert heard({f"{NOW}:ann": audio}, options={"trace": str(tmp_path / "trace")}) == []
    assert not (tmp_path / "trace").exists()
