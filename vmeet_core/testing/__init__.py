"""The conformance kit for plugin authors, and small real providers. It needs no pytest to be imported."""

from vmeet_core.testing.check import Breach, Check, Result, Subject, local_host, run_check, run_checks
from vmeet_core.testing.conformance import DenoiserConformance
from vmeet_core.testing.denoiser_checks import DENOISER_CHECKS
from vmeet_core.testing.fakes import GateProvider
from vmeet_core.testing.probes import noise, speech_like
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS

__all__ = [
    "DENOISER_CHECKS",
    "PROVIDER_CHECKS",
    "Breach",
    "Check",
    "DenoiserConformance",
    "GateProvider",
    "Result",
    "Subject",
    "local_host",
    "noise",
    "run_check",
    "run_checks",
    "speech_like",
]
