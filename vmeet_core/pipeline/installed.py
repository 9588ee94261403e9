"""Whether a worker's machine has the plugin that the server has."""

from typing import cast

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.plugins import UnknownProvider, discover
from vmeet_core.settings import Kind


def check_installed(use: PluginUse) -> None:
    """Raises Permanent when it is absent, or is another version, or has other model files."""
    try:
        provider = discover().get(cast(Kind, use.kind), use.name)
    except UnknownProvider as error:
        raise Permanent(f"on this worker, {error}") from None
    if provider.version != use.version:
        raise Permanent(
            f'this worker has version {provider.version} of "{use.name}", and the server has {use.version}: '
            "install the same version on both"
        )
    if {weight.name: weight.sha256 for weight in provider.weights} != use.weights:
        raise Permanent(
            f'"{use.name}" has other model files on this worker than on the server: install the same plugin'
        )
