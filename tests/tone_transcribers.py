"""A transcriber that reads tones, and denoisers, as plugins of the tests; and sounds for them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter

RATE_HZ = 16_000
#: Comes after KINDS, a provider for each: "tones" writes the words of each tone (in Hz), "mute" nothing, "large" holds
#: 80 MB, the others break.
PLUGIN = """
import os
import numpy as np
from pydantic import Field
from vmeet_core.hookspecs import Options, Permanent, Segment, Transcriber, TranscriberProvider, TranscriberStream
from vmeet_core.hookspecs import hookimpl
from vmeet_core.testing import GateProvider

WORDS = {400: "早安。", 800: "我们开会", 1200: "WiFi", 1600: "今天25度"}

class TonesOptions(Options):
    instead: str = Field("", title="Instead", description="Written instead of everything.")

class Stream(TranscriberStream):
    def __init__(self, kind, options):
        self.kind, self.options = kind, options
    def transcribe(self, audio, language, context):
        if self.kind == "dies":
            os._exit(9)
        if self.kind == "refuses":
            raise Permanent(f"no {language} today")
        if self.kind == "mute":
            return []
        power = np.abs(np.fft.rfft(audio))
        heard = round(float(np.argmax(power)) * 16_000 / len(audio) / 400) * 400
        text = self.options.instead or WORDS.get(heard, "?")
        return [Segment(0.0, len(audio) / 16_000, text, language)]

class Tones(Transcriber):
    sample_rate_hz, max_chunk_s = 16_000, 4.0
    def __init__(self, kind):
        self.kind = kind
        self.held = np.ones(10_000_000) if kind == "large" else None
    def open(self, options):
        return Stream(self.kind, options)

class TonesProvider(TranscriberProvider):
    api, title, licence, version, options, languages = 1, "Tones", "MIT", "1.5", TonesOptions, ("zh",)
    def __init__(self, name):
        self.name = name
    def load(self, server_settings, host):
        return Tones(self.name)

@hookimpl
def register_transcribers():
    return [TonesProvider(name) for name in KINDS]

@hookimpl
def register_denoisers():
    return [GateProvider()]
"""


def tones(*hz: int) -> Audio:
    """Each for half a second, in noise that is faint, with pauses long enough to be cut at."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    pause = np.zeros(5 * RATE_HZ // 2, np.float32)
    parts: list[Audio] = [pause]
    for each in hz:
        parts += [(0.3 * np.sin(2 * np.pi * each * time_s)).astype(np.float32), pause]
    sound = np.concatenate(parts)
    return sound + np.random.default_rng(1).normal(0, 1e-4, len(sound)).astype(np.float32)


def write_utterances(folder: Path, said: Sequence[tuple[str, Audio]]) -> Path:
    """Each in a file of its own, 0.flac and so on, with ``transcripts.tsv``."""
    folder.mkdir(exist_ok=True)
    lines = ["file\ttext\n"]
    for number, (text, sound) in enumerate(said):
        with AudioWriter(folder / f"{number}.flac", RATE_HZ) as writer:
            writer.write(sound)
        lines.append(f"{number}.flac\t{text}\n")
    (folder / "transcripts.tsv").write_text("".join(lines), encoding="utf-8")
    return folder
