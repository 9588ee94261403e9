"""``vmeet weights``: list, fetch and verify model files."""

import argparse

from vmeet_core.cli.common import (
    FAULT,
    OK,
    CommandError,
    Subparsers,
    add_command,
    add_global_options,
    read_settings,
)
from vmeet_core.cli.progress import Progress
from vmeet_core.hookspecs import Weight
from vmeet_core.plugins import AnyProvider, Kind, Registry, discover, needed_providers, weight_store, weights_of
from vmeet_core.settings import Settings, did_you_mean
from vmeet_core.weights import WeightError, WeightStore

DESCRIPTION = """\
Model files are kept in the folder that weights.dir of the settings names
("weights" by default). Each is pinned by its SHA-256 and checked before use.

NAME is a provider, such as dtln, or a model file."""
ALL = "without it, those of every installed provider"
NEEDED = "without it, those that the presets of the settings need (with no settings file: as list)"
ACTIONS = {
    "list": ("list the model files, their size, licence and state", ALL),
    "fetch": ("download what is absent or corrupt; what is there already is left alone", NEEDED),
    "verify": ("read every file anew and compare its SHA-256", NEEDED),
}

Named = dict[str, tuple[Weight, str]]  #: each model file by its name, with its provider


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "weights", "list, fetch and verify model files", DESCRIPTION)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, (summary, without) in ACTIONS.items():
        nested = add_command(actions, action, summary, f"{summary.capitalize()}.\n\n{DESCRIPTION}")
        nested.add_argument("names", metavar="NAME", nargs="*", help=f"a provider or a model file; {without}")
        add_global_options(nested, nested=True)


def run(args: argparse.Namespace) -> int:
    settings, registry = read_settings(args), discover()
    everything = args.action == "list" or settings.file is None
    chosen = select(args.names, settings, registry, everything)
    actions = {"list": list_weights, "fetch": fetch, "verify": verify}
    if not chosen:
        print("no model files are needed")
        return OK
    return actions[args.action](chosen, weight_store(settings))


def select(names: list[str], settings: Settings, registry: Registry, everything: bool) -> Named:
    """The model files of the providers named, or themselves named. Raises CommandError for an unknown name."""
    installed = [(kind, provider) for kind, named in registry.providers.items() for provider in named.values()]
    known = _weights_of(settings, installed)
    if not names:
        needed = [(kind, provider) for (kind, _), provider in needed_providers(settings, registry).items()]
        return known if everything else _weights_of(settings, needed)
    chosen: Named = {}
    for name in names:
        offering = [(kind, provider) for kind, provider in installed if provider.name == name]
        found = _weights_of(settings, offering)
        if not found and name in known:
            found = {name: known[name]}
        if not found and not offering:
            hint = did_you_mean(name, {*known, *(provider.name for _, provider in installed)})
            raise CommandError(f'no installed provider or model file is called "{name}". {hint}')
        chosen |= found
    return chosen


def _weights_of(settings: Settings, providers: list[tuple[Kind, AnyProvider]]) -> Named:
    """Those that they need with the settings in force."""
    return {
        weight.name: (weight, provider.name)
        for kind, provider in providers
        for weight in weights_of(settings, kind, provider)
    }


def list_weights(chosen: Named, store: WeightStore) -> int:
    print(f"model files in {store.dir}")
    for weight, provider in chosen.values():
        print(
            f"{store.state(weight):9}{weight.size_bytes / 1e6:8.1f} MB  {provider:16}{weight.name} ({weight.licence})"
        )
    return OK


def fetch(chosen: Named, store: WeightStore) -> int:
    weights = [weight for weight, _ in chosen.values()]
    already = {weight.name for weight in weights if store.state(weight) == "present"}
    try:
        with Progress() as progress:
            paths = store.fetch_all(weights, progress)
    except WeightError as error:
        raise CommandError(f"{error}\n    To try again: vmeet weights fetch") from None
    for weight, path in zip(weights, paths, strict=True):
        print(f"{'present' if weight.name in already else 'fetched'}  {path}")
    return OK


def verify(chosen: Named, store: WeightStore) -> int:
    states = {name: store.verify(weight) for name, (weight, _) in chosen.items()}
    for name, state in states.items():
        print(f"{'ok' if state == 'present' else state:9}{name}")
    bad = [name for name, state in states.items() if state != "present"]
    if bad:
        print(f"Run: vmeet weights fetch {' '.join(bad)}")
    return FAULT if bad else OK
