"""Measures a model on utterances: syllables right, with tones and without, characters right, time."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from dataset import read_as
from metrics import accuracy
from prepare import RATE_HZ, texts_beside
from vmeet_stt_asrt import AsrtProvider, AsrtSettings
from vmeet_stt_asrt.ctc import greedy
from vmeet_stt_asrt.engine import AsrtEngine
from vmeet_stt_asrt.features import SAMPLE_RATE_HZ, spectrogram
from vmeet_stt_asrt.network import Network

from vmeet_core.hookspecs import Audio, Context, Options
from vmeet_core.media.audio import read_all
from vmeet_core.testing import local_host


def han(text: str) -> str:
    return "".join(character for character in text if "一" <= character <= "鿿")


def parts_of(audio: Audio, most_s: float) -> list[Audio]:
    """Cut where it is too long, anywhere: the core cuts at silences, so this is the worst case."""
    most = int(most_s * SAMPLE_RATE_HZ)
    return [audio[start : start + most] for start in range(0, len(audio), most)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="sound with NAME.txt beside it, or with transcripts.tsv")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--beam", type=int, default=8)
    arguments = parser.parse_args()
    settings = AsrtSettings(model=arguments.model, labels=arguments.labels, beam=arguments.beam)
    engine = AsrtProvider().load(settings, local_host())
    assert isinstance(engine, AsrtEngine)
    stream, network = engine.open(Options()), engine.network
    syllables, characters, heard_s, spent_s = [], [], 0.0, 0.0
    for path, text in texts_beside(arguments.folder):
        parts, truth = parts_of(read_all(path, RATE_HZ), engine.max_chunk_s), han(text)
        begun_s = time.perf_counter()
        found = "".join(segment.text for part in parts for segment in stream.transcribe(part, "zh", Context()))
        spent_s += time.perf_counter() - begun_s
        heard_s += sum(map(len, parts)) / SAMPLE_RATE_HZ
        characters.append((truth, found))
        syllables.append((read_as(truth), [each for part in parts for each in said(network, part)]))
    toneless = [(without_tones(truth), without_tones(found)) for truth, found in syllables]
    figures = {"utterances": len(characters), "syllable_accuracy": round(accuracy(syllables), 4)}
    figures |= {"toneless_accuracy": round(accuracy(toneless), 4)}
    figures |= {"character_accuracy": round(accuracy(characters), 4), "rtf": round(spent_s / heard_s, 4)}
    print(json.dumps(figures))


def said(network: Network, part: Audio) -> list[str]:
    """The likeliest syllable of each moment, without any knowledge of words."""
    return [network.syllables[label] for label in greedy(network.listen(spectrogram(part)))]


def without_tones(syllables: Sequence[str]) -> list[str]:
    return [syllable[:-1] for syllable in syllables]


if __name__ == "__main__":
    main()
