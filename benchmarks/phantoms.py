"""What transcribers invent where nobody speaks: words on minutes of silence, white noise, music and typing.

    python benchmarks/phantoms.py [--transcriber whisper] [--minutes 10] [--language zh --language auto] [--data DIR]

Each sound is given twice: in the phrases that the core finds in it, as recordings are, and, which is harder, as a whole
in the longest parts that the engine takes. The sounds are made here; DIR may hold others, any media files in which
nobody speaks. The last line is JSON: {transcriber: {language: {sound: {"words", "raw_words", "given_s", "texts"}}}}.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from phantom_sounds import SOUNDS

from vmeet_core.hookspecs import Audio, Context, Transcriber
from vmeet_core.media.audio import read_all
from vmeet_core.media.silence import heard, phrases
from vmeet_core.media.transcribe import JOIN_S, transcribed_phrases
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import load_settings

MOST_S = 30.0  #: of a sound that is given as it is
NAMES = ("林志明", "陳怡君", "Kevin")
#: A Chinese, Japanese or Korean character, or a word of other letters or digits.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


class Found(NamedTuple):
    """What an engine made of a sound, and how much of it it was given."""

    given_s: float
    texts: list[str]

    @property
    def words(self) -> int:
        return sum(len(_WORD.findall(text)) for text in self.texts)


def as_recorded(engine: Transcriber, options: Any, language: str, audio: Audio) -> Found:
    """The way of recordings, with names of people, too."""
    rate_hz = engine.sample_rate_hz
    cut = phrases(heard([audio], rate_hz), engine.max_chunk_s, JOIN_S)
    with closing(engine.open(options)) as stream:
        found = transcribed_phrases([audio], rate_hz, cut, engine, stream, language, NAMES)
        return Found(sum(end_s - start_s for start_s, end_s in cut), [segment.text for segment in found])


def as_it_is(engine: Transcriber, options: Any, language: str, audio: Audio) -> Found:
    """All of it, one part after the other."""
    step = int(min(engine.max_chunk_s, MOST_S) * engine.sample_rate_hz)
    parts = [audio[start : start + step] for start in range(0, len(audio), step)]
    with closing(engine.open(options)) as stream:
        found = [segment for part in parts for segment in stream.transcribe(part, language, Context(NAMES))]
    return Found(len(audio) / engine.sample_rate_hz, [segment.text for segment in found])


def measure(engine: Transcriber, options: Any, language: str, audio: Audio) -> dict[str, Any]:
    recorded, whole = (heard_by(engine, options, language, audio) for heard_by in (as_recorded, as_it_is))
    return {
        "words": recorded.words,
        "raw_words": whole.words,
        "given_s": round(recorded.given_s, 1),
        "texts": recorded.texts + whole.texts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=Path, help="vmeet.toml")
    parser.add_argument("--transcriber", action="append", help="only this one (may be repeated)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each sound that is made here")
    parser.add_argument("--language", action="append", help="zh unless given (may be repeated)")
    parser.add_argument("--data", type=Path, help="a folder with more sounds")
    args = parser.parse_args()
    settings, registry = load_settings(args.settings, os.environ), discover()
    sounds = {name: partial(make, 60 * args.minutes) for name, make in SOUNDS.items()}
    sounds |= {path.name: partial(_read, path) for path in sorted(args.data.iterdir())} if args.data else {}
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="vmeet-phantoms-") as folder:
        for name in args.transcriber or registry.providers["transcribers"]:
            engine = load_provider(settings, registry, "transcribers", name, Path(folder))
            options = registry.get("transcribers", name).options()
            for language in args.language or ["zh"]:
                for sound, make in sounds.items():
                    found = measure(engine, options, language, make(engine.sample_rate_hz))
                    figures.setdefault(name, {}).setdefault(language, {})[sound] = found
                    print(name, language, sound, json.dumps(found, ensure_ascii=False), file=sys.stderr, flush=True)
            engine.close()
    print(json.dumps(figures, ensure_ascii=False))


def _read(path: Path, rate_hz: int) -> Audio:
    return read_all(path, rate_hz)


if __name__ == "__main__":
    main()
