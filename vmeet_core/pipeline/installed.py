"""Whether a worker's machine has the plugin that the server has."""

from typing import cast

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.plugins import UnknownProvider, discover, server_settings_of
from vmeet_core.settings import Kind, Settings, SettingsError


def check_installed(use: PluginUse, settings: Settings) -> None:
    """Raises Permanent when it is absent, or is another version, or has other model files.

    ``settings`` are the worker's own: they may name a model.
    """
    kind = cast(Kind, use.kind)
    try:
        provider = discover().get(kind, use.name)
        server_settings = server_settings_of(settings, kind, provider)
    except (UnknownProvider, SettingsError) as error:
        raise Permanent(f"on this worker, {error}") from None
    version = provider.version_for(server_settings)
    if version != use.version:
        raise Permanent(
            f'this worker has version {version} of "{use.name}", and the server has {use.version}: '
            "install the same version on both"
        )
    if {weight.name: weight.sha256 for weight in provider.weights_for(server_settings)} != use.weights:
        raise Permanent(
            f'"{use.name}" has other model files on this worker than on the server: install the same plugin, '
            "and let the settings of both name the same model"
        )
