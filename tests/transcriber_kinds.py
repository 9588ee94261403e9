"""A transcriber for tests that needs no model: it writes down the pitch of each tone that it hears."""

#: The source of the plugin. ``trace`` names a file that gets a line for each call: length, language, what it was told.
TRANSCRIBERS = """
import numpy as np
from pathlib import Path
from vmeet_core.hookspecs import Options, Segment, Transcriber, TranscriberProvider, TranscriberStream, hookimpl

class ToneOptions(Options):
    trace: str = ""

class Stream(TranscriberStream):
    def __init__(self, options, rate_hz):
        self.options, self.rate_hz = options, rate_hz
    def transcribe(self, audio, language, context):
        if self.options.trace:
            with Path(self.options.trace).open("a") as file:
                told = f"{','.join(context.hot_words)} {context.text_before}"
                file.write(f"{len(audio) / self.rate_hz:.2f} {language} {told}\\n")
        packet = self.rate_hz // 50
        loud = np.square(audio[: len(audio) // packet * packet].reshape(-1, packet)).mean(axis=1) > 1e-4
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
        found = []
        for start, end in zip(edges[::2] * packet, edges[1::2] * packet):
            part = audio[start:end]
            pitch_hz = np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() * self.rate_hz / len(part)
            text = f"{round(pitch_hz / 10) * 10} "
            times = (start / self.rate_hz, end / self.rate_hz)
            found.append(Segment(*times, text, "en", 0.9, ((*times, text),)))
        return found

class Engine(Transcriber):
    sample_rate_hz, max_chunk_s = 16_000, 10.0
    def open(self, options):
        return Stream(options, self.sample_rate_hz)

class Tones(TranscriberProvider):
    api, name, title, licence, version, languages, options = 1, "tones", "Tones", "MIT", "1", ("en",), ToneOptions
    def load(self, server_settings, host):
        return Engine()

@hookimpl
def register_transcribers():
    return [Tones()]
"""
