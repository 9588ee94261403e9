"""From a sound file to text, as recordings go: denoised where that is wanted, cut at silences, transcribed."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from vmeet_core.hookspecs import Denoiser, Transcriber
from vmeet_core.media.audio import read_audio
from vmeet_core.media.denoise import denoise_file
from vmeet_core.media.transcribe import transcribed


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
        engine, rate_hz = self._transcriber, self._transcriber.sample_rate_hz
        stream = engine.open(self._plan.options)
        try:
            segments = transcribed(lambda: read_audio(path, rate_hz), rate_hz, engine, stream, self._plan.language)
            return " ".join(segment.text for segment in segments)
        finally:
            stream.close()
