"""VMeet plugin: the transcriber ``google``. Importing it loads neither engine's library."""

from importlib.metadata import version

from vmeet_core.hookspecs import Host, Transcriber, TranscriberProvider, hookimpl
from vmeet_stt_google.languages import LANGUAGES
from vmeet_stt_google.settings import GoogleOptions, GoogleSettings


class GoogleProvider(TranscriberProvider):
    """Speech to text on Google's machines: what people say is sent there."""

    api = 1
    name = "google"
    title = "Google speech to text"
    licence = "a service of Google, under its terms"
    server_settings = GoogleSettings
    options = GoogleOptions
    languages = LANGUAGES
    leaves_host = True

    def __init__(self) -> None:
        self.version = version("vmeet-stt-google")

    def version_for(self, server_settings: GoogleSettings) -> str:
        """With what is asked of Google: results of another engine or model are others."""
        parts = [server_settings.engine, *(server_settings.default_language, *server_settings.auto_languages)]
        if server_settings.engine == "cloud":
            parts += [server_settings.location, server_settings.model, server_settings.method]
        return "+".join([self.version, *parts])

    def load(self, server_settings: GoogleSettings, host: Host) -> Transcriber:
        """Raises Permanent for credentials that cannot be read. Sends nothing yet."""
        # Here, since only a process that transcribes should pay for the libraries.
        if server_settings.engine == "web":
            from vmeet_stt_google.web import WebTranscriber

            return WebTranscriber(server_settings, host)
        from vmeet_stt_google.cloud import CloudTranscriber

        return CloudTranscriber(server_settings, host)


@hookimpl
def register_transcribers() -> list[TranscriberProvider]:
    """The one provider of this plugin."""
    return [GoogleProvider()]
