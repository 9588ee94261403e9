"""``vmeet process``: the pipeline of a recording on media files and folders of them."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pydantic import ValidationError

from vmeet_core.cli.common import FAULT, OK, CommandError, Subparsers, add_command, checked_settings
from vmeet_core.cli.media_files import WORK, MediaFile, media_files
from vmeet_core.cli.results import collect, tidied
from vmeet_core.settings import Numbers, Preset, Script, Settings, SpeechSource

if TYPE_CHECKING:
    from vmeet_core.pipeline.views import JobView, ProcessRequest
    from vmeet_core.plugins import Registry

DESCRIPTION = """\
Process any media file as a recording would be: denoise its sound, set the loudness,
encode it for every browser. Of a folder, every sound and video file below it is
processed, in the order of their names; hidden files and earlier results are left out.

The results lie in FILE.vmeet (or --out): meeting.mp4 (meeting.m4a for a file without
a picture), meeting-original with the sound as it was, audio.flac and
audio-denoised.flac (48 kHz, lossless), mix.flac, mix-denoised.flac and
thumbnail.jpg; with a transcriber, transcript.json (what is said, and when), the
same to be read, and captions. With several files or a folder, --out gets a folder for each.

A run that was stopped, by Ctrl-C or a power cut, goes on where it was when it is
repeated; what is done is not done again. A file that fails does not stop the others.
The paths of the results are printed; the exit code is 1 if any file failed, and 130
after Ctrl-C."""

NONE = "none"
NOT_YET = "(this version runs none yet: any but none is refused)"


class Outcome(NamedTuple):
    """``is_new`` says whether anything had to be done."""

    results: list[Path]
    is_new: bool


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "process", "process media files, and folders of them", DESCRIPTION)
    parser.add_argument("files", metavar="FILE|DIR", nargs="+", type=Path, help="a sound or video file, or a folder")
    parser.add_argument(
        "--denoiser", metavar="NAME", help="a denoiser, or none (default: that of the preset default, else none)"
    )
    parser.add_argument(
        "--transcriber", metavar="NAME", help="a transcriber, or none (default: that of the preset default, else none)"
    )
    parser.add_argument(
        "--language",
        metavar="TAG",
        help='the language spoken, such as zh or en-GB (default: that preset\'s, else "auto")',
    )
    parser.add_argument("--script", choices=get_args(Script), help="the Chinese script (default: that preset's)")
    parser.add_argument(
        "--numbers", choices=get_args(Numbers), help="numbers in digits, or not (default: that preset's)"
    )
    parser.add_argument(
        "--transcribe-from", choices=get_args(SpeechSource), help="the sound to transcribe (default: that preset's)"
    )
    parser.add_argument("--video-enhancer", metavar="NAME", default=NONE, help=f"a video enhancer, or none {NOT_YET}")
    parser.add_argument(
        "--options",
        metavar="JSON",
        type=_json,
        default={},
        help="options of the denoiser, or of each plugin by its name",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="where to put the results (default: FILE.vmeet beside each file)"
    )


def run(args: argparse.Namespace) -> int:
    settings, registry = checked_settings(args)
    logging.basicConfig(level=logging.ERROR)  # what fails is said once, below
    request = _request(args, settings, registry)
    found = media_files(args.files, args.out)
    for fault in found.faults:
        _say(fault)
    summary = Summary(len(found.files) + len(found.faults), len(found.faults), found.left_out)
    try:
        for number, file in enumerate(found.files, start=1):
            if len(found.files) > 1:
                print(f"[{number}/{len(found.files)}] {file.shown}", file=sys.stderr)
            summary.count(_processed(file, request, settings, registry))
    except KeyboardInterrupt:
        print("vmeet: stopped. Run the same command again to go on where it was.", file=sys.stderr)
        summary.show()
        raise
    summary.show()
    return FAULT if summary.failed else OK


class Summary:
    """Counts, and says at the end how it went where there was more than one file."""

    def __init__(self, files: int, failed: int, left_out: int) -> None:
        self.files, self.failed, self.left_out = files, failed, left_out
        self.done = self.done_before = 0

    def count(self, outcome: Outcome | None) -> None:
        """None: it failed."""
        if outcome is None:
            self.failed += 1
        elif outcome.is_new:
            self.done += 1
        else:
            self.done_before += 1

    def show(self) -> None:
        if self.files < 2 and not self.left_out:
            return
        rest = self.files - self.done - self.done_before - self.failed
        counts = [
            (self.done, "done"),
            (self.done_before, "done before"),
            (self.failed, "failed"),
            (rest, "not begun or not finished"),
            (self.left_out, "in folders left out, being no sound or video"),
        ]
        text = ", ".join(f"{count} {what}" for count, what in counts if count)
        print(f"vmeet: {self.files} {'file' if self.files == 1 else 'files'}: {text}", file=sys.stderr)


def _say(text: object) -> None:
    print(f"vmeet: {text}", file=sys.stderr)


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('not a JSON object, such as {"strength": 0.5}')
    return value


def _request(args: argparse.Namespace, settings: Settings, registry: "Registry") -> "ProcessRequest":
    """Raises CommandError for a plugin that is unknown, not run, not allowed, or given wrong options or no weights."""
    from vmeet_core.pipeline.views import ProcessRequest
    from vmeet_core.plugins import missing_weights, unfit, weight_store

    default = settings.meetings.get("default", Preset())
    denoiser = _chosen(args.denoiser, default.denoiser)
    transcriber = _chosen(args.transcriber, default.transcriber)
    preset = _preset(
        denoiser=denoiser,
        transcriber=transcriber,
        video_enhancer=_chosen(args.video_enhancer, None),
        language=args.language or default.language,
        script=args.script or default.script,
        numbers=args.numbers or default.numbers,
        transcribe_from=args.transcribe_from or default.transcribe_from,
        options=_options(args.options, denoiser, transcriber),
    )
    chosen = settings.model_copy(update={"meetings": {"command": preset}, "file": None})
    unknown = [name for _, kind, name in preset.chosen() if name not in registry.providers[kind]]
    problems = [*unfit(chosen, registry), *missing_weights(chosen, registry, weight_store(settings))]
    if problems:
        # Of an unknown name that is said, and no more: that no such plugin is run yet, or what its options are.
        telling = {problem.key: problem for problem in problems if not (unknown and ".options." in problem.key)}
        raise CommandError("\n".join(map(_as_option, telling.values())))
    fields = preset.model_fields_set & ProcessRequest.model_fields.keys()
    return ProcessRequest(**preset.model_dump(include=fields))


def _preset(**chosen: Any) -> Preset:
    """Raises CommandError."""
    try:
        return Preset(**chosen)
    except ValidationError as error:
        fault = error.errors()[0]
        raise CommandError(f"--{'-'.join(str(fault['loc'][0]).split('_'))}: {fault['msg']}") from None


def _as_option(problem: Any) -> str:
    key = problem.key.removeprefix("meetings.command.")
    name = "--options" if key.startswith("options.") else "--" + key.replace("_", "-")
    return f"{name}: {problem.message} {_remedy(problem.remedy, key)}".rstrip()


def _remedy(remedy: str, key: str) -> str:
    return f"Leave --{key.replace('_', '-')} out." if remedy.endswith("out of this preset.") else remedy


def _chosen(given: str | None, default: str | None) -> str | None:
    return default if given is None else None if given == NONE else given


def _options(given: dict[str, Any], denoiser: str | None, transcriber: str | None) -> dict[str, Any]:
    """By plugin; what does not name one is meant for the denoiser, or else for the transcriber."""
    named = [name for name in (denoiser, transcriber) if name]
    if given.keys() <= set(named) and all(isinstance(each, dict) for each in given.values()):
        return given
    return dict.fromkeys(named[:1], given)


def _processed(file: MediaFile, request: "ProcessRequest", settings: Settings, registry: "Registry") -> Outcome | None:
    """Prints the paths of the results, or why there are none: then None."""
    try:
        outcome = _process(file, request, settings, registry)
    except CommandError as error:
        _say(error)
        return None
    except OSError as error:
        _say(f"{error.filename or file.shown}: {error.strerror or error}")
        return None
    for path in outcome.results:
        print(path, flush=True)
    return outcome


def _process(file: MediaFile, request: "ProcessRequest", settings: Settings, registry: "Registry") -> Outcome:
    """Raises CommandError when it cannot be done, and OSError when the disk does not take the results."""
    work = file.results / WORK
    is_new = not file.results.exists()
    with tidied(work) as is_free:
        if not is_free:
            raise CommandError(f"{file.shown}: is being processed by another vmeet just now; its results go there, too")
        job = asyncio.run(_finished(file.path, work, request, settings, registry))
        if job.state == "done":
            changed = collect(job.results, work, file.results)
    if job.state != "done":
        if is_new and not job.results:
            shutil.rmtree(file.results)
        raise CommandError(_why(file.shown, job))
    ran = any(step.seconds for step in job.steps[1:])
    return Outcome([file.results / name for name in changed], ran or any(changed.values()))


async def _finished(
    media: Path, work: Path, request: "ProcessRequest", settings: Settings, registry: "Registry"
) -> "JobView":
    """The job as it ended. The processes of its steps are gone however this ends."""
    from vmeet_core.cli.step_bars import StepBars
    from vmeet_core.database import Database
    from vmeet_core.pipeline.graph import prepare_file
    from vmeet_core.pipeline.scheduler import Scheduler

    database = await Database.open(work / "state.sqlite3")
    ended: asyncio.Future[JobView] = asyncio.get_running_loop().create_future()
    bars = StepBars(media.name)
    submitted = ""

    def on_change(job: "JobView") -> None:
        if job.id == submitted or not submitted:
            bars.show(job)
            if job.state in ("done", "failed", "cancelled") and not ended.done():
                ended.set_result(job)

    scheduler = Scheduler(database, settings, on_change, registry=registry, first_step=prepare_file(str(media)))
    try:
        submitted = await scheduler.submit(str(media), work, request)
        return await ended
    finally:
        bars.close()
        await scheduler.close()
        await database.close()


def _why(media: Path, job: "JobView") -> str:
    failed = next(step for step in job.steps if step.state == "failed")
    if failed is job.steps[0]:  # it names the file
        return str(failed.error)
    return "\n".join([f"{media}: {failed.title}: {failed.error}", *(f"    {line}" for line in failed.log_tail)])
