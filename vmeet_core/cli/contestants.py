"""Which providers a bake-off measures, with which options, and how their engines are loaded."""

import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from vmeet_core.cli.common import CommandError
from vmeet_core.effects.pictures import built_in
from vmeet_core.evaluate.comparison import Contestant
from vmeet_core.evaluate.listener import Cleaner, Plan
from vmeet_core.hookspecs import Options
from vmeet_core.plugins import AnyProvider, Kind, Registry, UnknownProvider, allowed, discover, load_provider
from vmeet_core.settings import Settings, did_you_mean


class Entry(NamedTuple):
    """A provider and its options."""

    kind: Kind
    provider: AnyProvider
    options: Options

    def loader(self, settings: Settings, temp_dir: Path) -> "partial[Any]":
        """Loads its engine; it can be pickled where its options can."""
        return partial(_load, settings, self.kind, self.provider.name, temp_dir)


def _load(settings: Settings, kind: Kind, name: str, temp_dir: Path) -> Any:
    """The plugins are found anew: this may be another process."""
    return load_provider(settings, discover(), kind, name, temp_dir, built_in)


def alone(entry: Entry, settings: Settings, temp_dir: Path) -> Contestant:
    """A provider by itself."""
    provider = entry.provider
    return Contestant(
        provider.name, provider.title, provider.version, entry.loader(settings, temp_dir), options=entry.options
    )


def listening(
    entry: Entry, denoisers: Iterable[Entry], language: str, settings: Settings, temp_dir: Path
) -> list[Contestant]:
    """A transcriber on the sound as it is, and on that of each denoiser."""
    load, provider = entry.loader(settings, temp_dir), entry.provider
    plain = Plan(load, entry.options, language)
    found = [Contestant(provider.name, provider.title, provider.version, plain.listener, entry.options)]
    for denoiser in denoisers:
        cleaner = Cleaner(denoiser.loader(settings, temp_dir), denoiser.options)
        pair = (provider, denoiser.provider)
        name, title, version = (" + ".join(texts) for texts in zip(*(_texts(each) for each in pair), strict=True))
        found.append(Contestant(name, title, version, plain._replace(cleaner=cleaner).listener, entry.options))
    return found


def _texts(provider: AnyProvider) -> tuple[str, str, str]:
    return provider.name, provider.title, provider.version


def select(names: Sequence[str] | None, kind: Kind, settings: Settings, registry: Registry) -> list[AnyProvider]:
    """The providers named, or else all that the settings allow. Raises CommandError for one that is not installed."""
    if names:
        try:
            return [registry.get(kind, name) for name in dict.fromkeys(names)]
        except UnknownProvider as error:
            raise CommandError(str(error)) from error
    for provider in registry.providers[kind].values():
        if refusal := allowed(settings, provider):
            print(f"left out: {refusal}", file=sys.stderr)
    return [provider for provider in registry.providers[kind].values() if not allowed(settings, provider)]


def entries(providers: dict[Kind, list[AnyProvider]], assignments: list[str]) -> dict[Kind, list[Entry]]:
    """Each with its options. Raises CommandError for an option that none has, or a value out of bounds."""
    every = [provider for found in providers.values() for provider in found]
    wanted: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise CommandError(f"--option {assignment} sets nothing: write NAME=VALUE")
        known = {field for provider in every for field in provider.options.model_fields}
        if name not in known:
            raise CommandError(f'none of the providers has an option "{name}". {did_you_mean(name, known)}')
        wanted[name] = _value(text)
    return {
        kind: [Entry(kind, provider, _options(provider, wanted)) for provider in found]
        for kind, found in providers.items()
    }


def _options(provider: AnyProvider, wanted: dict[str, Any]) -> Options:
    fields = provider.options.model_fields
    try:
        return provider.options.model_validate({name: wanted[name] for name in wanted if name in fields})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the options"
        raise CommandError(f"--option does not fit {provider.name}: {where}: {fault['msg']}") from error


def _value(text: str) -> Any:
    """As JSON where it is that, else as the text it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
