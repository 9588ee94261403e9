"""Speaks sentences with espeak-ng in many voices, for experiments: what is trained on it is not shipped."""

import argparse
import random
import subprocess
from pathlib import Path

VOICES = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", type=Path, help="a file with one sentence a line, Simplified")
    parser.add_argument("--out", type=Path, required=True, help="a folder for prepare.py")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(arguments.seed)
    lines = arguments.sentences.read_text(encoding="utf-8").split()
    for number in range(arguments.count):
        sentence, voice = chance.choice(lines), chance.choice(VOICES)
        path = arguments.out / f"{number:06}.wav"
        manner = ["-s", str(chance.randint(110, 210)), "-p", str(chance.randint(15, 85))]
        subprocess.run(["espeak-ng", "-v", f"cmn{voice}", *manner, "-w", str(path), sentence], check=True)
        path.with_suffix(".txt").write_text(sentence, encoding="utf-8")


if __name__ == "__main__":
    main()
