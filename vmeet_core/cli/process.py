"""``vmeet process``: the pipeline of a recording on any media file."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmeet_core.cli.common import FAULT, OK, CommandError, Subparsers, add_command, checked_settings
from vmeet_core.settings import Settings

if TYPE_CHECKING:
    from vmeet_core.pipeline.views import JobView, ProcessRequest
    from vmeet_core.plugins import Registry

DESCRIPTION = """\
Process any media file as a recording would be: denoise its sound, set the loudness,
encode it for every browser.

The results lie in FILE.vmeet (or --out): meeting.mp4 (meeting.m4a for a file without
a picture), meeting-original with the sound as it was, audio.flac and
audio-denoised.flac (48 kHz, lossless), mix.flac, mix-denoised.flac and
thumbnail.jpg. A run that was stopped goes on where it was; what is done is not
done again."""

WORK = ".vmeet"  # inside the results' folder: the database and all jobs' files
NONE = "none"
FILE_NAMES = {"audio:file": "audio.flac", "audio-denoised:file": "audio-denoised.flac"}


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(subparsers, "process", "process any media file", DESCRIPTION)
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a sound or video file")
    parser.add_argument(
        "--denoiser", metavar="NAME", help="a denoiser, or none (default: that of the preset default, else none)"
    )
    parser.add_argument("--options", metavar="JSON", type=_json, default={}, help="options of the denoiser")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to put the results (default: FILE.vmeet)")


def run(args: argparse.Namespace) -> int:
    settings, registry = checked_settings(args)
    logging.basicConfig(level=logging.ERROR)  # what fails is said once, below
    denoiser = _denoiser(args.denoiser, settings)
    failures = 0
    for file in args.files:
        try:
            media, folder = _checked(file), _folder(file, args)
            request = _request(denoiser, args.options)
            _process(media, folder, request, settings, registry)
        except CommandError as error:
            print(f"vmeet: {error}", file=sys.stderr)
            failures += 1
    return FAULT if failures else OK


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError('not a JSON object, such as {"strength": 0.5}')
    return value


def _denoiser(given: str | None, settings: Settings) -> str | None:
    if given is not None:
        return None if given == NONE else given
    preset = settings.meetings.get("default")
    return preset.denoiser if preset else None


def _folder(file: Path, args: argparse.Namespace) -> Path:
    """One file fills --out itself; of several, each gets a folder there."""
    if args.out is None:
        return file.with_name(f"{file.name}.vmeet")
    out: Path = args.out
    return out if len(args.files) == 1 else out / f"{file.name}.vmeet"


def _request(denoiser: str | None, options: dict[str, Any]) -> "ProcessRequest":
    from vmeet_core.pipeline.views import ProcessRequest

    return ProcessRequest(denoiser=denoiser, options={denoiser: options} if denoiser else {})


def _process(media: Path, folder: Path, request: "ProcessRequest", settings: Settings, registry: "Registry") -> None:
    """Prints the paths of the results. Raises CommandError when it cannot be done."""
    is_new = not folder.exists()
    job = asyncio.run(_finished(media, folder / WORK, request, settings, registry))
    if job.state != "done":
        if is_new and not job.results:
            shutil.rmtree(folder)
        raise CommandError(_why(media, job))
    for path in _collect(job, folder / WORK, folder):
        print(path)


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


def _checked(file: Path) -> Path:
    if not file.is_file():
        raise CommandError(f"{file}: {'is a folder, not a file' if file.is_dir() else 'no such file'}")
    return file.resolve()


def _why(media: Path, job: "JobView") -> str:
    failed = next(step for step in job.steps if step.state == "failed")
    if failed is job.steps[0]:  # it names the file
        return str(failed.error)
    return "\n".join([f"{media}: {failed.title}: {failed.error}", *(f"    {line}" for line in failed.log_tail)])


def _collect(job: "JobView", work: Path, folder: Path) -> list[Path]:
    """Put the results side by side under plain names, without a second copy where the file system can."""
    targets = []
    for name, path in sorted(job.results.items()):
        source = work / path
        target = folder / FILE_NAMES.get(name, source.name)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target)
        targets.append(target)
    return targets
