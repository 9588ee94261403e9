"""``vmeet compare``: measures the installed plugins of one kind against one another."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from vmeet_core.cli.common import FAULT, OK, CommandError, Subparsers, add_command, read_settings
from vmeet_core.cli.contestants import alone, entries, listening, select
from vmeet_core.evaluate import EVALUATORS, evaluator
from vmeet_core.evaluate.comparison import CompareError, Comparison, Contestant, Progress, compare
from vmeet_core.evaluate.report import as_html, as_json, as_text
from vmeet_core.plugins import AnyProvider, Kind, discover

DESCRIPTION = """\
Measure the quality and the speed of the installed plugins of one kind on a folder
of test material, and print a table. Weights must have been fetched.

  denoisers       DIR holds NAME.clean.flac and NAME.noisy.flac, 16 kHz or more.
                  It needs the packages of pip install 'vmeet-core[evaluate]'.
  frame-filters   DIR holds NAME.jpg and NAME.png (the mask: person not 0), and
                  clips (mp4, webm, mkv) if you like. Masks are told from outside,
                  of filters that have the option "background".
  transcribers    DIR holds transcripts.tsv with the columns "file" and "text", and
                  those files (any media). Characters and syllables that are wrong,
                  time and memory; the texts side by side in the report. --denoiser
                  adds each transcriber on denoised sound. It needs the packages of
                  pip install 'vmeet-core[evaluate]'.

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
    parser.add_argument(
        "--denoiser",
        metavar="NAME",
        action="append",
        default=[],
        help="transcribers: measure each also on sound cleaned by this one (may be repeated, or a list with commas)",
    )
    parser.add_argument(
        "--language",
        metavar="TAG",
        default="zh",
        help='transcribers: what is spoken, as BCP 47 has it, or "auto" (default: %(default)s)',
    )
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the means as JSON, with the texts if there are"
    )
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
        checks = " and ".join(f"vmeet check {name}" for name in failure.contestant.split(" + "))
        print(f"vmeet: {failure} ({checks} may tell more)", file=sys.stderr)
    return FAULT if comparison.failures else OK


def measured(args: argparse.Namespace) -> Comparison:
    """Raises CommandError."""
    judge = evaluator(args.kind)
    settings, registry = read_settings(args), discover()
    denoisers = denoiser_names(args, judge.kind)
    chosen: dict[Kind, list[AnyProvider]] = {judge.kind: select(args.plugin, judge.kind, settings, registry)}
    if denoisers:
        chosen["denoisers"] = select(denoisers, "denoisers", settings, registry)
    found = entries(chosen, args.option)
    with tempfile.TemporaryDirectory(prefix="vmeet-compare-") as folder, shown_progress() as progress:
        contestants: list[Contestant] = []
        for entry in found[judge.kind]:
            if judge.kind == "transcribers":
                cleaners = found.get("denoisers", [])
                contestants += listening(entry, cleaners, args.language, settings, Path(folder))
            else:
                contestants.append(alone(entry, settings, Path(folder)))
        try:
            return compare(judge, args.data, contestants, progress)
        except CompareError as error:
            raise CommandError(str(error)) from error


def denoiser_names(args: argparse.Namespace, kind: Kind) -> list[str]:
    """Of ``--denoiser a,b --denoiser c`` all three. Raises CommandError where the kind has no use for them."""
    names = [name.strip() for each in args.denoiser for name in each.split(",") if name.strip()]
    if names and kind != "transcribers":
        raise CommandError(f"--denoiser is for transcribers: {args.kind} are measured without one")
    return names


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
