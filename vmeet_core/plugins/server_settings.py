"""What the settings say about a provider, and which model files it needs with that."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vmeet_core.hookspecs import Weight
from vmeet_core.plugins.registry import AnyProvider
from vmeet_core.settings import Kind, Settings, SettingsError, validated


def server_settings_of(settings: Settings, kind: Kind, provider: AnyProvider) -> Any:
    """Its table ``[plugins.KIND.NAME]`` as its model; relative paths are taken from the settings file's folder.

    Raises SettingsError.
    """
    table = settings.plugins.get(kind, {}).get(provider.name, {})
    checked = validated(provider.server_settings, table, f"plugins.{kind}.{provider.name}", str(settings.file or ""))
    return _absolute(checked, (settings.file.parent if settings.file else Path()).absolute())


def _absolute(model: BaseModel, folder: Path) -> BaseModel:
    values = {name: getattr(model, name) for name in type(model).model_fields}
    return model.model_copy(update={name: folder / value for name, value in values.items() if isinstance(value, Path)})


def weights_of(settings: Settings, kind: Kind, provider: AnyProvider) -> tuple[Weight, ...]:
    """The model files that the provider needs with these settings, or with any where these are wrong for it."""
    try:
        return provider.weights_for(server_settings_of(settings, kind, provider))
    except SettingsError:  # ``unfit`` tells of it, where a preset needs the provider
        return provider.weights
