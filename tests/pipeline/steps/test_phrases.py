"""Tests of the step that cuts sound into phrases."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from material import RATE_HZ, tone
from spoken import PEOPLE, transcript, utterance

from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.transcript import write_transcript
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.phrases import ROLE, SOUND, TRANSCRIPT, Params, run

MakeWork = Callable[..., Work]


def sound(path: Path, start_s: float, end_s: float) -> Path:
    """Ten seconds, in which two tones a second are heard from ``start_s`` to ``end_s``."""
    at_s = np.arange(10 * RATE_HZ) / RATE_HZ
    audio = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), len(at_s)).astype(np.float32)
    within = (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % 0.5 < 0.4)
    audio[within] += tone(440)(at_s[within])
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(audio)
    return path


def table(tmp_path: Path, make_work: MakeWork, **more: Path) -> list[list[str]]:
    inputs = {f"{SOUND}:p1": sound(tmp_path / "1.flac", 1, 3), f"{SOUND}:p2": sound(tmp_path / "2.flac", 4, 6)}
    work = make_work(tmp_path, Params(names=PEOPLE), inputs | more, {ROLE: tmp_path / "phrases.zip"})
    run(work)
    with ZipFile(tmp_path / "phrases.zip") as files:
        return [line.split("\t") for line in files.read("transcripts.tsv").decode().splitlines()[1:]]


def test_everybodys_phrases_with_what_they_said(tmp_path: Path, make_work: MakeWork) -> None:
    said = transcript(utterance("p1", 1, 3, "大家早安。"), utterance("p2", 4, 6, "Good morning."))
    write_transcript(tmp_path / "transcript.json", said)
    found = table(tmp_path, make_work, **{TRANSCRIPT: tmp_path / "transcript.json"})
    assert [(row[0], row[1], row[4]) for row in found] == [
        ("01-王小明/00001.flac", "王小明", "大家早安。"),
        ("02-Ann/00001.flac", "Ann", "Good morning."),
    ]


def test_without_a_transcript_the_texts_are_left_to_be_written(tmp_path: Path, make_work: MakeWork) -> None:
    assert [row[4] for row in table(tmp_path, make_work)] == ["", ""]
