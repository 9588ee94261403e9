"""Tests of the archive of phrases: which files, where they are cut, what the table says."""

import io
import os
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from spoken import utterance, words

from vmeet_core.evaluate.utterances import find_utterances
from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.phrase_files import TABLE, Speaker, write_phrase_files

RATE_HZ = 48_000


def sound(path: Path, duration_s: float, *spans: tuple[float, float]) -> Path:
    """Two tones a second in these spans, in a room that is not quite silent."""
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    audio = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), len(at_s)).astype(np.float32)
    for start_s, end_s in spans:
        within = (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % 0.5 < 0.4)
        audio[within] += 0.3 * np.sin(2 * np.pi * 440 * at_s[within]).astype(np.float32)
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(audio)
    return path


def rows(archive: Path) -> list[list[str]]:
    with ZipFile(archive) as files:
        return [line.split("\t") for line in files.read(TABLE).decode().splitlines()]


def clip(archive: Path, name: str, tmp_path: Path) -> Audio:
    with ZipFile(archive) as files:
        return read_all(Path(files.extract(name, tmp_path / "out")), RATE_HZ)


def test_every_phrase_is_a_file_that_holds_what_the_sound_has_there(tmp_path: Path) -> None:
    whole = sound(tmp_path / "a.flac", 30, (2.0, 5.0), (20.0, 24.0))
    archive = tmp_path / "phrases.zip"
    shares: list[float] = []
    silent = sound(tmp_path / "b.flac", 10)
    write_phrase_files(archive, [Speaker("王小明", whole, ()), Speaker("Ben", silent, ())], tmp_path, shares.append)
    header, first, second = rows(archive)
    assert header == ["file", "person", "start_s", "end_s", "text"]
    assert [first[:2], second[:2]] == [["01-王小明/00001.flac", "王小明"], ["01-王小明/00002.flac", "王小明"]]
    assert [float(time_s) for time_s in second[2:4]] == pytest.approx([20.0, 24.0], abs=0.4)
    start, end = (round(float(time_s) * RATE_HZ) for time_s in second[2:4])
    np.testing.assert_allclose(clip(archive, second[0], tmp_path), read_all(whole, RATE_HZ)[start:end], atol=1e-6)
    assert shares == [0.5, 1.0]
    assert not (tmp_path / "phrase.flac").exists()


def test_words_go_to_the_phrase_in_which_they_are_said(tmp_path: Path) -> None:
    whole = sound(tmp_path / "a.flac", 30, (2.0, 5.0), (7.0, 9.0), (20.0, 24.0))
    said = [
        utterance(
            "p1", 2.0, 8.6, "大家早安 hello", words=(*words(2.0, 1.0, "大家", "早安"), *words(7.2, 1.4, " hello"))
        ),
        utterance("p1", 8.7, 9.1, "對"),
        utterance("p1", 20.5, 23.0, "今天的\t會議\n開始"),
    ]
    write_phrase_files(tmp_path / "phrases.zip", [Speaker("a", whole, said)], tmp_path)
    assert [row[4] for row in rows(tmp_path / "phrases.zip")[1:]] == ["大家早安", "hello 對", "今天的 會議 開始"]


def test_names_are_names_of_folders_everywhere(tmp_path: Path) -> None:
    whole = sound(tmp_path / "a.flac", 10, (2.0, 5.0))
    names = ["../../a\tb", 'C:\\x<y>"?', "", "王" * 99, "dots..."]
    write_phrase_files(tmp_path / "phrases.zip", [Speaker(name, whole, ()) for name in names], tmp_path)
    with ZipFile(tmp_path / "phrases.zip") as files:
        folders = [name.partition("/")[0] for name in files.namelist()]
    assert folders == ["01-.._.._a b", "02-C_x_y_", "03", f"04-{'王' * 40}", "05-dots", TABLE]
    assert [row[1] for row in rows(tmp_path / "phrases.zip")[1:]] == [
        "../../a b",
        'C:\\x<y>"?',
        "",
        "王" * 99,
        "dots...",
    ]


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    speakers = [Speaker("a", sound(tmp_path / "a.flac", 10, (2.0, 5.0)), ())]
    for name in ("1.zip", "2.zip"):
        write_phrase_files(tmp_path / name, speakers, tmp_path)
        os.utime(tmp_path / "a.flac", (0, 0))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_nobody_who_speaks_leaves_a_table_without_rows(tmp_path: Path) -> None:
    write_phrase_files(tmp_path / "phrases.zip", [Speaker("a", sound(tmp_path / "a.flac", 5), ())], tmp_path)
    assert len(rows(tmp_path / "phrases.zip")) == 1


def test_transcribers_can_be_compared_on_it(tmp_path: Path) -> None:
    whole = sound(tmp_path / "a.flac", 30, (2.0, 5.0), (20.0, 24.0))
    said = [utterance("p1", 2.0, 5.0, '說"好"'), utterance("p1", 20.0, 24.0, "再見")]
    write_phrase_files(tmp_path / "phrases.zip", [Speaker("a", whole, said)], tmp_path)
    with ZipFile(io.BytesIO((tmp_path / "phrases.zip").read_bytes())) as files:
        files.extractall(tmp_path / "data")
    found = find_utterances(tmp_path / "data")
    assert [each.text for each in found] == ['說"好"', "再見"]
    assert found[1].duration_s == pytest.approx(4.0, abs=0.6)
