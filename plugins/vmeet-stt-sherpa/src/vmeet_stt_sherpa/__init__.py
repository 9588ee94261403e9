"""VMeet plugin: the transcriber ``sherpa``. Importing it loads no model runtime."""

from importlib.metadata import version
from pathlib import Path

from vmeet_core.hookspecs import Host, Permanent, Source, Transcriber, TranscriberProvider, Weight, hookimpl
from vmeet_stt_sherpa.archive import unpacked
from vmeet_stt_sherpa.fingerprint import fingerprint
from vmeet_stt_sherpa.settings import SherpaOptions, SherpaSettings

_RELEASE = "https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models"
_SENSE_VOICE = "sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2024-07-17.tar.bz2"
SENSE_VOICE = Weight(
    _SENSE_VOICE,
    "7d1efa2138a65b0b488df37f8b89e3d91a60676e416f515b952358d83dfd347e",
    163002883,
    "FunASR model licence",
    (Source(url=f"{_RELEASE}/{_SENSE_VOICE}"),),
)


class SherpaProvider(TranscriberProvider):
    """SenseVoice, Paraformer and Zipformer models in sherpa-onnx; by default SenseVoice Small in 8-bit numbers."""

    api = 1
    name = "sherpa"
    title = "sherpa-onnx (SenseVoice, Paraformer, Zipformer)"
    licence = "FunASR model licence (SenseVoice); other models: as published"
    server_settings = SherpaSettings
    options = SherpaOptions
    weights = (SENSE_VOICE,)
    languages = ("zh", "en", "ja", "ko", "yue")

    def __init__(self) -> None:
        self.version = version("vmeet-stt-sherpa")

    def weights_for(self, server_settings: SherpaSettings) -> tuple[Weight, ...]:
        """None for a folder, that of the settings for an archive, else SenseVoice."""
        if server_settings.folder is not None:
            return ()
        return (server_settings.archive.weight(),) if server_settings.archive else self.weights

    def version_for(self, server_settings: SherpaSettings) -> str:
        """The version, and which files of which model are read."""
        parts = [self.version, server_settings.precision, *server_settings.languages]
        if server_settings.folder is not None:
            parts.append(fingerprint(server_settings.folder))
        return "+".join(parts)

    def load(self, server_settings: SherpaSettings, host: Host) -> Transcriber:
        """Unpack the archive where that was not done before (some seconds), and read the model.

        Raises Permanent when the model is absent or none that this plugin knows.
        """
        folder = self._folder(server_settings, host)
        # Here, since only a process that transcribes should pay for the runtime.
        from vmeet_stt_sherpa.engine import SherpaEngine
        from vmeet_stt_sherpa.model import recognised

        return SherpaEngine(recognised(folder, server_settings.precision), server_settings, host.logger)

    def _folder(self, server_settings: SherpaSettings, host: Host) -> Path:
        folder = server_settings.folder
        if folder is not None:
            if not folder.is_dir():
                raise Permanent(
                    f"the folder {folder} of [plugins.transcribers.sherpa] does not exist: correct it there"
                )
            return folder
        (weight,) = self.weights_for(server_settings)
        return unpacked(host.weight_path(weight), weight.sha256, host.weights_dir, host.logger)


@hookimpl
def register_transcribers() -> list[TranscriberProvider]:
    """The one provider of this plugin."""
    return [SherpaProvider()]
