"""``vmeet check``: runs the conformance kit on an installed provider."""

import argparse
import json
import tempfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from vmeet_core.cli.common import FAULT, OK, CommandError, Subparsers, add_command, read_settings
from vmeet_core.effects.pictures import built_in
from vmeet_core.plugins import (
    GROUP,
    KINDS,
    AnyProvider,
    Kind,
    Registry,
    allowed,
    discover,
    make_host,
    server_settings_of,
)
from vmeet_core.settings import Settings, did_you_mean
from vmeet_core.testing import (
    DENOISER_CHECKS,
    FRAME_FILTER_CHECKS,
    PROVIDER_CHECKS,
    TRANSCRIBER_CHECKS,
    Check,
    Result,
    Subject,
    run_checks,
)

DESCRIPTION = """\
Check an installed provider against the contract: what it says of itself, whether
it loads, and whether its results have the right shape, keep their state to
themselves, and come as late as declared. Each failure says what to do.

Denoisers, frame filters and transcribers are checked in full; of video enhancers,
what they say of themselves.
Its weights must have been fetched (vmeet weights fetch NAME)."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "check", "check a plugin against the contract", DESCRIPTION)
    parser.add_argument("name", metavar="NAME", help="the provider, such as dtln")
    parser.add_argument("--kind", choices=KINDS, help="its kind, where two kinds have a provider of this name")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    settings, registry = read_settings(args), discover()
    kind, provider = find(args.name, args.kind, registry)
    if refusal := allowed(settings, provider):
        raise CommandError(refusal)
    with tempfile.TemporaryDirectory(prefix="vmeet-check-") as folder:
        results = []
        for result in checked(kind, provider, settings, registry, Path(folder)):
            results.append(result)
            if not args.json:
                print(result, flush=True)
    failed = sum(result.state != "passed" for result in results)
    if args.json:
        print(json.dumps([result._asdict() for result in results], indent=2, ensure_ascii=False))
    else:
        print(f"{provider.name}: {len(results) - failed} of {len(results)} checks passed")
    return FAULT if failed else OK


def find(name: str, kind: Kind | None, registry: Registry) -> tuple[Kind, AnyProvider]:
    """Raises CommandError for a name that nothing offers, or that two kinds do."""
    kinds = [kind] if kind else KINDS
    found = [(each, registry.providers[each][name]) for each in kinds if name in registry.providers[each]]
    if not found:
        left_out = [str(problem) for problem in registry.problems if name in (problem.plugin, problem.distribution)]
        known = [known for each in kinds for known in registry.providers[each]]
        raise CommandError(
            " ".join([f'no installed plugin offers "{name}".', *(left_out or [did_you_mean(name, known)])])
        )
    if len(found) > 1:
        raise CommandError(f'"{name}" is offered in {" and ".join(each for each, _ in found)}: name one with --kind')
    return found[0]


def checks_of(kind: Kind) -> tuple[Check, ...]:
    in_full: dict[Kind, tuple[Check, ...]] = {
        "denoisers": DENOISER_CHECKS,
        "frame_filters": FRAME_FILTER_CHECKS,
        "transcribers": TRANSCRIBER_CHECKS,
    }
    return in_full.get(kind, PROVIDER_CHECKS)


def checked(
    kind: Kind, provider: AnyProvider, settings: Settings, registry: Registry, temp_dir: Path
) -> Iterator[Result]:
    """Every check of the kind, as it is done; the provider is loaded with the settings in force."""
    subject = Subject(
        provider,
        make_host(settings, f"{kind}.{provider.name}", temp_dir, picture=built_in),
        server_settings_of(settings, kind, provider),
        _module(kind, provider, registry),
    )
    try:
        yield from run_checks(subject, checks_of(kind))
    finally:
        subject.close()


def _module(kind: Kind, provider: AnyProvider, registry: Registry) -> str:
    """What the entry point of the provider's plugin names; empty for the core's own."""
    plugin = next(plugin for plugin in registry.plugins if (kind, provider.name) in plugin.providers)
    points = entry_points(group=GROUP, name=plugin.name)
    return next((point.module for point in points if point.dist and point.dist.name == plugin.distribution), "")
