"""``vmeet compare``: measures the installed plugins of one kind against one another."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm  # type: ignore[import-untyped]

from vmeet_core.cli.common import FAULT, OK, CommandError, Subparsers, add_command, read_settings
from vmeet_core.effects.pictures import built_in
from vmeet_core.evaluate import EVALUATORS, evaluator
from vmeet_core.evaluate.comparison import CompareError, Comparison, Contestant, Progress, compare
from vmeet_core.evaluate.report import as_html, as_json, as_text
from vmeet_core.hookspecs import Options
from vmeet_core.plugins import AnyProvider, Kind, Registry, UnknownProvider, allowed, discover, load_provider
from vmeet_core.settings import Settings, did_you_mean

DESCRIPTION = """\
Measure the quality and the speed of the installed plugins of one kind on a folder
of test material, and print a table. Weights must have been fetched.

  denoisers       DIR holds NAME.clean.flac and NAME.noisy.flac, 16 kHz or more.
                  It needs the packages of pip install 'vmeet-core[evaluate]'.
  frame-filters   DIR holds NAME.jpg and NAME.png (the mask: person not 0), and
                  clips (mp4, webm, mkv) if you like. Masks are told from outside,
                  of filters that have the option "background".

A plugin that fails is named, and the others are measured all the same; the exit
code is then 1."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "compare", "measure plugins against one another", DESCRIPTION)
    parser.add_argument("kind", choices=sorted(EVALUATORS), help="the kind of plugin")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="the folder of test material")
    parser.add_argument("--plugin", metavar="NAME", action="append", help="only this provider (may be repeated)")
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set this option of every provider that has it (may be repeated)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the means as JSON")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write a page with every item as HTML")


def run(args: argparse.Namespace) -> int:
    for target in filter(None, (args.json, args.report)):
        if not target.parent.is_dir():  # found out before the measuring, not after
            raise CommandError(f"{target} cannot be written: the folder {target.parent} does not exist")
    comparison = measured(args)
    print(as_text(comparison))
    for target, make in ((args.json, as_json), (args.report, as_html)):
        if target is not None:
            target.write_text(make(comparison), encoding="utf-8")
    for failure in comparison.failures:
        print(f"vmeet: {failure} (vmeet check {failure.contestant} may tell more)", file=sys.stderr)
    return FAULT if comparison.failures else OK


def measured(args: argparse.Namespace) -> Comparison:
    """Raises CommandError."""
    judge = evaluator(args.kind)
    settings, registry = read_settings(args), discover()
    chosen = select(args.plugin, judge.kind, settings, registry)
    options = chosen_options(chosen, args.option)
    with tempfile.TemporaryDirectory(prefix="vmeet-compare-") as folder, shown_progress() as progress:
        contestants = [
            _contestant(settings, registry, judge.kind, provider, options[provider.name], Path(folder))
            for provider in chosen
        ]
        try:
            return compare(judge, args.data, contestants, progress)
        except CompareError as error:
            raise CommandError(str(error)) from error


def select(names: list[str] | None, kind: Kind, settings: Settings, registry: Registry) -> list[AnyProvider]:
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


def chosen_options(providers: list[AnyProvider], assignments: list[str]) -> dict[str, Options]:
    """The options of each provider by its name. Raises CommandError for one that none has, or a value out of bounds."""
    wanted: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise CommandError(f"--option {assignment} sets nothing: write NAME=VALUE")
        known = {field for provider in providers for field in provider.options.model_fields}
        if name not in known:
            raise CommandError(f'none of the providers has an option "{name}". {did_you_mean(name, known)}')
        wanted[name] = _value(text)
    return {provider.name: _options(provider, wanted) for provider in providers}


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


def _contestant(
    settings: Settings, registry: Registry, kind: Kind, provider: AnyProvider, options: Options, temp_dir: Path
) -> Contestant:
    return Contestant(
        name=provider.name,
        title=provider.title,
        version=provider.version,
        load=lambda: load_provider(settings, registry, kind, provider.name, temp_dir, built_in),
        options=options,
    )


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar for each contestant on a terminal, a line for each elsewhere; on stderr."""
    bars: list[tqdm[None]] = []

    def show(name: str, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            if done in (0, total):
                print(f"{name}: {done} of {total}", file=sys.stderr, flush=True)
            return
        if done == 0:
            bars.append(tqdm(desc=name, total=total))
        bars[-1].update(done - bars[-1].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
