"""The conformance kit for plugin authors, and small real providers. It needs no pytest to be imported."""

from vmeet_core.testing.check import Breach, Check, Result, Subject, local_host, run_check, run_checks
from vmeet_core.testing.conformance import DenoiserConformance, FrameFilterConformance, TranscriberConformance
from vmeet_core.testing.denoiser_checks import DENOISER_CHECKS
from vmeet_core.testing.fakes import ChromaKeyProvider, GateProvider, NotesProvider
from vmeet_core.testing.frame_filter_checks import FRAME_FILTER_CHECKS
from vmeet_core.testing.probes import flat_picture, melody, noise, noise_picture, person_picture, speech_like
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS
from vmeet_core.testing.transcriber_checks import TRANSCRIBER_CHECKS

__all__ = [
    "DENOISER_CHECKS",
    "FRAME_FILTER_CHECKS",
    "PROVIDER_CHECKS",
    "TRANSCRIBER_CHECKS",
    "Breach",
    "Check",
    "ChromaKeyProvider",
    "DenoiserConformance",
    "FrameFilterConformance",
    "GateProvider",
    "NotesProvider",
    "Result",
    "Subject",
    "TranscriberConformance",
    "flat_picture",
    "local_host",
    "melody",
    "noise",
    "noise_picture",
    "person_picture",
    "run_check",
    "run_checks",
    "speech_like",
]
