"""VMeet plugin: the transcriber ``asrt``. Importing it loads no model runtime."""

from importlib.metadata import version
from pathlib import Path

from vmeet_core.hookspecs import Host, Transcriber, TranscriberProvider, Weight, hookimpl
from vmeet_stt_asrt.files import digest
from vmeet_stt_asrt.settings import AsrtFile, AsrtSettings


class AsrtProvider(TranscriberProvider):
    """Mandarin by ASRT's acoustic model, which the owner of the server brings, and a decoder of our own."""

    api = 1
    name = "asrt"
    title = "ASRT (Mandarin)"
    licence = "Apache-2.0; the model's as its publisher says"
    server_settings = AsrtSettings
    languages = ("zh",)

    def __init__(self) -> None:
        self.version = version("vmeet-stt-asrt")

    def weights_for(self, server_settings: AsrtSettings) -> tuple[Weight, ...]:
        """The files that are named by their addresses."""
        return tuple(file.weight() for file in server_settings.files() if isinstance(file, AsrtFile))

    def version_for(self, server_settings: AsrtSettings) -> str:
        """The version, how it is searched, and what is in the files that are named by their paths."""
        digests = [digest(file) for file in server_settings.files() if isinstance(file, Path)]
        return "+".join([self.version, f"beam{server_settings.beam}", *digests])

    def load(self, server_settings: AsrtSettings, host: Host) -> Transcriber:
        """Read the network and the tables. Raises Permanent saying what to configure where there is no model."""
        # Here, since only a process that transcribes should pay for the runtime.
        from vmeet_stt_asrt.loading import load_engine

        return load_engine(server_settings, host)


@hookimpl
def register_transcribers() -> list[TranscriberProvider]:
    """The one provider of this plugin."""
    return [AsrtProvider()]
