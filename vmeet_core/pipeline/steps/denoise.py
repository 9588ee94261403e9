"""One person's sound through the denoiser that the job names, as long as before and in step with it."""

from typing import Any

from pydantic import BaseModel

from vmeet_core.media.denoise import denoise_file
from vmeet_core.pipeline.spec import Work
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import validated

VERSION = 1
INPUT, ROLE = "sound", "denoised"


class Params(BaseModel):
    """The provider's name, and its options."""

    denoiser: str
    options: dict[str, Any]


def run(work: Work) -> None:
    """Raises Permanent for a provider that cannot be loaded; what the denoiser raises passes through."""
    params = Params.model_validate(work.params)
    registry = discover()
    provider = registry.get("denoisers", params.denoiser)
    options = validated(provider.options, params.options, f"options.{params.denoiser}")
    engine = load_provider(work.settings, registry, "denoisers", params.denoiser, work.temp_dir)
    try:
        denoise_file(work.inputs[INPUT], work.outputs[ROLE], engine, options, work.progress)
    finally:
        engine.close()
