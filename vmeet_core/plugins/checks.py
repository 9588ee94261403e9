"""Checks the settings against what is installed, so that every fault shows before the server listens."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vmeet_core.hookspecs import Options
from vmeet_core.plugins.registry import AnyProvider, Registry
from vmeet_core.plugins.server_settings import weights_of
from vmeet_core.settings import (
    Kind,
    Preset,
    Problem,
    Settings,
    SettingsError,
    did_you_mean,
    load_settings,
    missing_extras,
    validated,
)
from vmeet_core.weights import WeightStore

#: The keys of a preset that this version has no room to carry out. A preset that names one is refused: to skip a
#: filter in silence would show what it was meant to hide. Take a key out when its room is there.
NOT_RUN = ("video_enhancer",)


def load_checked(path: Path | None, environ: Mapping[str, str], registry: Registry) -> Settings:
    """``load_settings`` and ``check_settings``, every fault of both in one SettingsError."""
    try:
        settings = load_settings(path, environ)
    except SettingsError as error:
        if error.sound is None:
            raise
        try:
            check_settings(error.sound, registry, weight_store(error.sound))
        except SettingsError as more:
            raise SettingsError(error.problems + more.problems) from None
        raise
    check_settings(settings, registry, weight_store(settings))
    return settings


def weight_store(settings: Settings) -> WeightStore:
    return WeightStore(settings.weights.dir, settings.weights.offline)


def check_settings(settings: Settings, registry: Registry, weights: WeightStore) -> None:
    """Raises SettingsError with every name, option, permission and weight that does not fit what is installed."""
    problems = [*unfit(settings, registry), *missing_weights(settings, registry, weights)]
    if problems:
        raise SettingsError(problems)


def unfit(settings: Settings, registry: Registry) -> list[Problem]:
    """Every name, option and permission that does not fit the installed plugins, and every extra that is missing."""
    problems = [*missing_extras(settings), *_server(settings, registry), *_plugin_tables(settings, registry)]
    for name, preset in settings.meetings.items():
        key = f"meetings.{name}"
        problems += [*_choices(settings, registry, preset, key), *_sources(preset, key)]
        problems += _options(registry, preset, key)
    return [problem._replace(file=str(settings.file or "")) for problem in problems]


def missing_weights(settings: Settings, registry: Registry, weights: WeightStore) -> list[Problem]:
    """Every model file that a preset needs and that is absent or corrupt, at the first key that needs it."""
    problems = []
    for (kind, name), provider in needed_providers(settings, registry).items():
        key = next(_keys_naming(settings, kind, name))
        for weight in weights_of(settings, kind, provider):
            state = weights.state(weight)
            if state != "present":
                message = f'the model file {weight.name} of "{name}" is {state} ({weights.dir}).'
                problems.append(Problem(str(settings.file or ""), key, message, f"Run: {_fetch(settings, name)}"))
    return problems


def allowed(settings: Settings, provider: AnyProvider) -> str | None:
    """None where the settings allow the provider, else why not."""
    if provider.leaves_host and provider.name not in settings.server.allow_leaving_host:
        return f'"{provider.name}" sends media to another machine, which the settings do not allow.'
    return None


def needed_providers(settings: Settings, registry: Registry) -> dict[tuple[Kind, str], AnyProvider]:
    """The installed providers that some preset names and this version runs, by kind and name."""
    found = {}
    for preset in settings.meetings.values():
        for key, kind, name in preset.chosen():
            if _table_key(key) not in NOT_RUN and name in registry.providers[kind]:
                found[kind, name] = registry.providers[kind][name]
    return found


def _table_key(key: str) -> str:
    return key.partition("[")[0]


def _server(settings: Settings, registry: Registry) -> Iterator[Problem]:
    known = {name for named in registry.providers.values() for name in named}
    for i, name in enumerate(settings.server.allow_leaving_host):
        if name not in known:
            message = f'no installed plugin offers "{name}".'
            yield Problem("", f"server.allow_leaving_host[{i}]", message, did_you_mean(name, known))


def _plugin_tables(settings: Settings, registry: Registry) -> Iterator[Problem]:
    """Faults of the tables there are, and of those that a needed provider wants and are absent."""
    tables = {(kind, name): table for kind, named in settings.plugins.items() for name, table in named.items()}
    for kind, name in [*tables, *(needed for needed in needed_providers(settings, registry) if needed not in tables)]:
        key = f"plugins.{kind}.{name}"
        if name in registry.providers[kind]:
            model = registry.providers[kind][name].server_settings
            yield from _faults(model, tables.get((kind, name), {}), key)
        else:
            yield _unknown(registry, kind, name, key)


def _faults(model: type[Options], data: Mapping[str, Any], key: str) -> list[Problem]:
    try:
        validated(model, data, key)
    except SettingsError as error:
        return error.problems
    return []


def _choices(settings: Settings, registry: Registry, preset: Preset, key: str) -> Iterator[Problem]:
    for choice, kind, name in preset.chosen():
        path = f"{key}.{choice}"
        if _table_key(choice) in NOT_RUN:
            message = f'this version of VMeet cannot run "{name}" here, and will not leave it out in silence.'
            yield Problem("", path, message, f"Take {_table_key(choice)} out of this preset.")
        if name not in registry.providers[kind]:
            yield _unknown(registry, kind, name, path)
            continue
        refused = allowed(settings, registry.providers[kind][name])
        if refused:
            yield Problem("", path, refused, f'Add "{name}" to server.allow_leaving_host to allow it.')


def _sources(preset: Preset, key: str) -> Iterator[Problem]:
    if preset.transcriber and preset.transcribe_from == "denoised" and not preset.denoiser:
        message = "without a denoiser there is no denoised sound to transcribe."
        yield Problem("", f"{key}.transcribe_from", message, 'Choose a denoiser, or "original".')


def _unknown(registry: Registry, kind: Kind, name: str, key: str) -> Problem:
    return Problem("", key, *registry.why_unknown(kind, name))


def _options(registry: Registry, preset: Preset, key: str) -> Iterator[Problem]:
    """Options may also be of a provider that the preset does not choose: a meeting may."""
    known = {name for named in registry.providers.values() for name in named}
    for name, options in preset.options.items():
        path = f"{key}.options.{name}"
        if name not in known:
            yield Problem("", path, f'no installed plugin offers "{name}".', did_you_mean(name, known))
        offering = [kind for kind, named in registry.providers.items() if name in named]
        chosen = [kind for _, kind, chosen_name in preset.chosen() if chosen_name == name]
        for kind in sorted(set(offering) & set(chosen)) or offering:
            yield from _faults(registry.providers[kind][name].options, options, path)


def _fetch(settings: Settings, name: str) -> str:
    option = f" --settings {settings.file}" if settings.file else ""
    return f"vmeet{option} weights fetch {name}"


def _keys_naming(settings: Settings, kind: Kind, name: str) -> Iterator[str]:
    for preset_name, preset in settings.meetings.items():
        for key, chosen_kind, chosen in preset.chosen():
            if (chosen_kind, chosen) == (kind, name) and _table_key(key) not in NOT_RUN:
                yield f"meetings.{preset_name}.{key}"
