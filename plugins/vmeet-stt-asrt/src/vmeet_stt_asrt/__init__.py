"""VMeet plugin: the transcriber ``asrt``. Importing it loads no model runtime."""

from importlib.metadata import version

from vmeet_core.hookspecs import Host, Transcriber, TranscriberProvider, hookimpl
from vmeet_stt_asrt.settings import AsrtSettings


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

    def load(self, server_settings: AsrtSettings, host: Host) -> Transcriber:
        """Read the network and the tables. Raises Permanent saying what to configure where there is no model."""
        # Here, since only a process that transcribes should pay for the runtime.
        from vmeet_stt_asrt.loading import load_engine

        return load_engine(server_settings, host)


@hookimpl
def register_transcribers() -> list[TranscriberProvider]:
    """The one provider of this plugin."""
    return [AsrtProvider()]
