"""Files through a transcriber, and through a denoiser before it."""

from pathlib import Path
from typing import Any

import pytest
from tone_transcribers import tones, write_utterances

from vmeet_core.evaluate.listener import Cleaner, Plan
from vmeet_core.hookspecs import Audio, Context, Segment, Transcriber, TranscriberStream
from vmeet_core.testing import GateProvider, local_host


class Counting(TranscriberStream):
    """Notes how long each part is, and how loud its beginning."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        self.log.append(f"{language} {len(audio) / 16_000:.0f} s, {abs(audio[:1000]).max():.0e}")
        return [Segment(0.0, 0.1, "甲", language), Segment(0.1, 0.2, "乙", language)]

    def close(self) -> None:
        self.log.append("stream closed")


class Engine(Transcriber):
    sample_rate_hz, max_chunk_s = 16_000, 4.0

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def open(self, options: Any) -> TranscriberStream:
        self.log.append(f"opened with {options}")
        return Counting(self.log)

    def close(self) -> None:
        self.log.append("closed")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write_utterances(tmp_path / "sounds", [("", tones(400, 800)), ("", tones()[:100])]) / "0.flac"


def test_phrases_come_one_by_one_and_the_stream_is_closed(sound: Path) -> None:
    log: list[str] = []
    listener = Plan(lambda: Engine(log), "options", "zh-TW").listener()
    assert listener.heard(sound) == "甲 乙 甲 乙"
    listener.close()
    lengths = [line.partition(",")[0] for line in log]
    assert lengths == ["opened with options", "zh-TW 1 s", "zh-TW 1 s", "stream closed", "closed"]


def test_of_silence_nothing_is_asked(sound: Path) -> None:
    log: list[str] = []
    listener = Plan(lambda: Engine(log), None, "zh").listener()
    assert listener.heard(sound.with_name("1.flac")) == ""
    assert log == ["opened with None", "stream closed"]


def test_a_denoiser_comes_first(sound: Path) -> None:
    log: list[str] = []
    gate = GateProvider()
    cleaner = Cleaner(lambda: gate.load(None, local_host()), gate.options(threshold_db=-50, reduction_db=20))
    listener = Plan(lambda: Engine(log), None, "zh", cleaner).listener()
    listener.heard(sound)
    plain = Plan(lambda: Engine(log), None, "zh").listener()
    plain.heard(sound)
    noise = [line.rpartition(", ")[2] for line in log if line.startswith("zh")]
    assert [float(level) < 1e-4 for level in noise] == [True, True, False, False]


def test_where_the_denoiser_does_not_load_the_transcriber_is_closed() -> None:
    log: list[str] = []

    def fail() -> Any:
        raise RuntimeError("no weights")

    with pytest.raises(RuntimeError, match="no weights"):
        Plan(lambda: Engine(log), None, "zh", Cleaner(fail, None)).listener()
    assert log == ["closed"]
