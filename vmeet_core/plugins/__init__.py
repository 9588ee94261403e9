"""Plugins: found, checked, listed, and their engines loaded. The only caller of hooks."""

from vmeet_core.plugins.checks import (
    NOT_RUN,
    allowed,
    check_settings,
    load_checked,
    missing_weights,
    needed_providers,
    unfit,
    weight_store,
)
from vmeet_core.plugins.engines import load_provider, make_host
from vmeet_core.plugins.registry import (
    GROUP,
    AnyProvider,
    Plugin,
    PluginProblem,
    Registry,
    UnknownProvider,
    discover,
)
from vmeet_core.plugins.server_settings import server_settings_of, weights_of
from vmeet_core.settings import KINDS, Kind, validated

__all__ = [
    "GROUP",
    "KINDS",
    "NOT_RUN",
    "AnyProvider",
    "Kind",
    "Plugin",
    "PluginProblem",
    "Registry",
    "UnknownProvider",
    "allowed",
    "check_settings",
    "discover",
    "load_checked",
    "load_provider",
    "make_host",
    "missing_weights",
    "needed_providers",
    "server_settings_of",
    "unfit",
    "validated",
    "weight_store",
    "weights_of",
]
