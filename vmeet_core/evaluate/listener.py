"""From a sound file to text, as recordings go: denoised where that is wanted, cut at silences, transcribed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from vmeet_core.hookspecs import Audio, Context, Denoiser, Segment, Transcriber, TranscriberStream
from vmeet_core.media.audio import read_audio
from vmeet_core.media.denoise import denoise_file
from vmeet_core.media.silence import loudness, phrases

JOIN_S = 2.0  #: phrases closer than that are given as one: what was said before helps to understand what follows
BEFORE_CHARS = 200  #: of the text before that a transcriber is told


class Cleaner(NamedTuple):
    """A denoiser that the sound goes through first."""

    load: Callable[[], Denoiser]
    options: Any


class Plan(NamedTuple):
    """What a listener is made of; ``language`` is BCP 47, or "auto"."""

    load: Callable[[], Transcriber]
    options: Any
    language: str
    cleaner: Cleaner | None = None

    def listener(self) -> "Listener":
        """With its engines loaded; what they raise passes through."""
        with ExitStack() as stack:
            transcriber = self.load()
            stack.callback(transcriber.close)
            denoiser = None
            if self.cleaner is not None:
                denoiser = self.cleaner.load()
                stack.callback(denoiser.close)
            return Listener(self, transcriber, denoiser, stack.pop_all())


class Listener:
    """Both engines, until ``close``."""

    def __init__(self, plan: Plan, transcriber: Transcriber, denoiser: Denoiser | None, engines: ExitStack) -> None:
        self._plan, self._transcriber, self._denoiser, self._engines = plan, transcriber, denoiser, engines

    def heard(self, path: Path) -> str:
        """The text of any media file's first sound track; "" for silence. Raises MediaError and OSError for the file;
        what the engines raise passes through.
        """
        with TemporaryDirectory(prefix="vmeet-compare-") as folder:
            return self._text(self._cleaned(path, Path(folder) / "denoised.flac"))

    def close(self) -> None:
        self._engines.close()

    def _cleaned(self, path: Path, target: Path) -> Path:
        if self._denoiser is None or self._plan.cleaner is None:
            return path
        denoise_file(path, target, self._denoiser, self._plan.cleaner.options)
        return target

    def _text(self, path: Path) -> str:
        stream = self._transcriber.open(self._plan.options)
        try:
            return " ".join(
                segment.text for segment in _transcribed(path, self._transcriber, stream, self._plan.language)
            )
        finally:
            stream.close()


def _transcribed(path: Path, engine: Transcriber, stream: TranscriberStream, language: str) -> Iterator[Segment]:
    """What is said in each phrase, in order; the times are those of the phrase."""
    before = ""
    for audio in _phrases(path, engine):
        for segment in stream.transcribe(audio, language, Context(text_before=before)):
            before = f"{before} {segment.text}".strip()[-BEFORE_CHARS:]
            yield segment


def _phrases(path: Path, engine: Transcriber) -> Iterator[Audio]:
    """The sound of each at the engine's rate, read-only; no more than one and what is read at once is held."""
    rate_hz = engine.sample_rate_hz
    blocks, held, position = read_audio(path, rate_hz), np.zeros(0, np.float32), 0  # position of the first sample held
    for phrase in phrases(loudness(read_audio(path, rate_hz), rate_hz), engine.max_chunk_s, JOIN_S):
        start, end = round(phrase.start_s * rate_hz), round(phrase.end_s * rate_hz)
        while position + len(held) < end and (block := next(blocks, None)) is not None:
            passed = min(max(0, start - position), len(held))
            held, position = np.concatenate([held[passed:], block]), position + passed
        audio = held[max(0, start - position) : end - position].copy()
        audio.flags.writeable = False
        yield audio
