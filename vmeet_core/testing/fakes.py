"""Small real providers without models, for tests of what surrounds them, and as examples for plugin authors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vmeet_core.color import Plane, rgb_to_i420
from vmeet_core.hookspecs import (
    Audio,
    Context,
    Denoiser,
    DenoiserProvider,
    DenoiserStream,
    Frame,
    FrameFilter,
    FrameFilterProvider,
    FrameStream,
    Host,
    Options,
    Permanent,
    Segment,
    Transcriber,
    TranscriberProvider,
    TranscriberStream,
)

Alpha = NDArray[np.float32]  # (height, width), 1 where the picture is kept


class GateOptions(Options):
    """Options of ``GateProvider``."""

    threshold_db: float = Field(
        -45.0, ge=-90, le=0, title="Threshold", description="Sound below this level (dB of full scale) is turned down."
    )
    reduction_db: float = Field(60.0, ge=0, le=90, title="Reduction", description="By how much, in dB.")


class GateProvider(DenoiserProvider):
    """A noise gate: blocks without sound are turned down. It looks one block ahead, so that no onset is cut."""

    api = 1
    name = "gate"
    title = "Noise gate"
    licence = "Apache-2.0"
    version = "1"
    options = GateOptions

    def load(self, server_settings: Any, host: Host) -> Denoiser:
        return GateEngine()


class GateEngine(Denoiser):
    sample_rate_hz = 16_000
    block_samples = 160
    latency_samples = 160

    def open(self, options: Any) -> DenoiserStream:
        return GateStream(options, self.block_samples)


class GateStream(DenoiserStream):
    """The block before, and the gain it ended with."""

    def __init__(self, options: GateOptions, block_samples: int) -> None:
        self._options = options
        self._before: Audio = np.zeros(block_samples, np.float32)
        self._gain = 0.0

    def update(self, options: GateOptions) -> None:
        self._options = options

    def process(self, audio: Audio) -> Audio:
        blocks = audio.reshape(-1, len(self._before))
        return np.concatenate([self._gated(block.copy()) for block in blocks])

    def _gated(self, block: Audio) -> Audio:
        level = max(float(np.sqrt(np.mean(part**2))) for part in (self._before, block))
        is_open = level >= 10 ** (self._options.threshold_db / 20)
        gain = 1.0 if is_open else 10 ** (-self._options.reduction_db / 20)
        ramp = np.linspace(self._gain, gain, len(block), dtype=np.float32)
        out: Audio = self._before * ramp
        self._before, self._gain = block, gain
        return out


class NotesOptions(Options):
    """Options of ``NotesProvider``."""

    threshold_db: float = Field(
        -45.0, ge=-90, le=0, title="Threshold", description="Sound below this level (dB of full scale) is no note."
    )


class NotesProvider(TranscriberProvider):
    """Names the notes that it hears, in whatever octave: a transcriber whose right answer is known (``melody``)."""

    api = 1
    name = "notes"
    title = "Names of notes"
    licence = "Apache-2.0"
    version = "1"
    options = NotesOptions
    languages = ("en", "zh")

    def load(self, server_settings: Any, host: Host) -> Transcriber:
        return NotesEngine()


class NotesEngine(Transcriber):
    sample_rate_hz = 16_000
    max_chunk_s = 30.0

    def open(self, options: Any) -> TranscriberStream:
        return NotesStream(options, self.sample_rate_hz)


#: Of the C major scale; each joined by what stands between words.
NOTE_NAMES = {"en": (["do", "re", "mi", "fa", "sol", "la", "ti"], " "), "zh": (list("多来米法梭拉西"), "")}
_DEGREES = (0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6)  # of the twelve semitones, from C
_HOP_S = 0.01
_SHORTEST_HOPS = 5
_PAUSE_S = 0.5  # between segments


class NotesStream(TranscriberStream):
    def __init__(self, options: NotesOptions, sample_rate_hz: int) -> None:
        self._options, self._rate_hz = options, sample_rate_hz

    def update(self, options: NotesOptions) -> None:
        self._options = options

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """A word for each note, a segment where they are less than half a second apart."""
        spoken = "en" if language == "auto" else language.split("-")[0].lower()
        if spoken not in NOTE_NAMES:
            raise Permanent(f"notes have no names in the language {language!r}, but in {', '.join(NOTE_NAMES)}")
        names, _ = NOTE_NAMES[spoken]
        words = [
            (round(start_s, 3), round(end_s, 3), names[degree])
            for start_s, end_s, degree in notes(audio, self._rate_hz, self._options.threshold_db)
        ]
        return [_phrase(phrase, spoken) for phrase in _phrases(words)]


def notes(audio: Audio, sample_rate_hz: int, threshold_db: float) -> list[tuple[float, float, int]]:
    """(start_s, end_s, degree of the scale from 0) of each sound between silences, by its strongest frequency."""
    hop = round(_HOP_S * sample_rate_hz)
    power = np.add.reduceat(audio**2, np.arange(0, len(audio), hop)) / hop if len(audio) else np.zeros(0)
    sounds = np.concatenate([[False], power > 10 ** (threshold_db / 10), [False]])
    edges = np.flatnonzero(np.diff(sounds.astype(np.int8))).tolist()
    return [
        (first * hop / sample_rate_hz, min(last * hop, len(audio)) / sample_rate_hz, degree)
        for first, last in zip(edges[::2], edges[1::2], strict=True)
        if last - first >= _SHORTEST_HOPS
        for degree in [_degree(audio[first * hop : last * hop], sample_rate_hz)]
    ]


def _degree(audio: Audio, sample_rate_hz: int) -> int:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    frequency_hz = (1 + int(np.argmax(spectrum[1:]))) * sample_rate_hz / len(audio)
    return _DEGREES[round(12 * np.log2(frequency_hz / 440) + 9) % 12]


_Word = tuple[float, float, str]


def _phrases(words: list[_Word]) -> list[list[_Word]]:
    found: list[list[_Word]] = []
    for word in words:
        if found and word[0] - found[-1][-1][1] < _PAUSE_S:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def _phrase(words: list[_Word], language: str) -> Segment:
    text = NOTE_NAMES[language][1].join(word[2] for word in words)
    return Segment(words[0][0], words[-1][1], text, language, None, tuple(words))


class ChromaKeyOptions(Options):
    """Options of ``ChromaKeyProvider``."""

    background: str = Field(
        "#202840", pattern="^#[0-9a-fA-F]{6}$", title="Background", description="The colour that takes its place."
    )
    key: str = Field(
        "#00b140", pattern="^#[0-9a-fA-F]{6}$", title="Key", description="The colour of the screen that is replaced."
    )
    near: float = Field(25.0, ge=0, le=100, title="Near", description="Colours nearer to the key are replaced wholly.")
    soft: float = Field(40.0, ge=1, le=100, title="Soft", description="How far beyond that they are replaced in part.")


class ChromaKeyProvider(FrameFilterProvider):
    """A green screen: pixels near a key colour become the background, those less near in part."""

    api = 1
    name = "chroma-key"
    title = "Green screen"
    licence = "Apache-2.0"
    version = "1"
    options = ChromaKeyOptions

    def load(self, server_settings: Any, host: Host) -> FrameFilter:
        return ChromaKeyEngine()


class ChromaKeyEngine(FrameFilter):
    def open(self, options: Any) -> FrameStream:
        return ChromaKeyStream(options)


class ChromaKeyStream(FrameStream):
    def __init__(self, options: ChromaKeyOptions) -> None:
        self._options = options

    def update(self, options: ChromaKeyOptions) -> None:
        self._options = options

    def process(self, frame: Frame, pts_s: float) -> Frame:
        return blended(frame, chroma_key_alpha(frame, self._options), self._options.background)


def chroma_key_alpha(frame: Frame, options: ChromaKeyOptions) -> Alpha:
    """By the distance from the key colour in the chroma planes, of which each pixel counts for four."""
    _, u, v = (float(plane[0, 0]) for plane in colour_planes(options.key))
    distance = np.hypot(frame.u.astype(np.float32) - u, frame.v.astype(np.float32) - v)
    alpha = np.clip((distance - options.near) / options.soft, 0, 1).astype(np.float32)
    height, width = frame.y.shape
    full: Alpha = alpha.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return full


def blended(frame: Frame, alpha: Alpha, colour: str) -> Frame:
    """``alpha`` of the picture and the rest of a flat colour, in the planes of a limited-range frame."""
    height, width = alpha.shape
    even = np.pad(alpha, ((0, height % 2), (0, width % 2)), mode="edge")
    small = even.reshape(even.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
    planes = zip((frame.y, frame.u, frame.v), (alpha, small, small), colour_planes(colour), strict=True)
    y, u, v = ((kept * plane + (1 - kept) * float(flat[0, 0]) + 0.5).astype(np.uint8) for plane, kept, flat in planes)
    return Frame(y, u, v, frame.color)


def colour_planes(colour: str) -> tuple[Plane, Plane, Plane]:
    """Planes of two by two pixels of a colour written ``#rrggbb``."""
    return rgb_to_i420(np.full((2, 2, 3), list(bytes.fromhex(colour[1:])), np.uint8))
