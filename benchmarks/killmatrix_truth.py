"""What a recording must hold, told by those who were recorded, and whether it does."""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from killmatrix_people import FRAMERATE_HZ, Person
from leak_scene import NUMBERS, look

from vmeet_core.database import Database
from vmeet_core.manifest import MANIFEST_NAME, SEGMENTS, AnyEvent, SegmentStarted, Started, read_manifest
from vmeet_core.media.frames import planes_of
from vmeet_core.media.segments import segment_duration_s
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import discover
from vmeet_core.settings import load_settings

MOST_MISSING_S = 1.0
BEGINS_S = 1.0  #: until a recording has everybody: a keyframe is asked for, and has to come


@dataclass
class Told:
    """Which recording somebody was told of; when (Unix time) it was killed, and perhaps asked to end, or had no more
    room on the disk, before that.
    """

    killed_s: float = 0.0
    stopped_s: float = float("inf")
    full_s: float = float("inf")
    recording_id: str | None = None

    def hear(self, recording: dict[str, Any] | None) -> None:
        """What a page knows of the recording; that it has ended makes nobody forget it."""
        if recording is not None:
            self.recording_id = recording["recording_id"]

    @property
    def until_s(self) -> float:
        return min(self.killed_s, self.stopped_s, self.full_s)


@dataclass
class Truth:
    """``due_s``: for how long it was recorded; known once its journal was read."""

    told: Told
    people: Sequence[Person]
    due_s: float = field(default=0.0)


def missing_s(folder: Path, truth: Truth, told_s: float | None) -> tuple[float, list[str]]:
    """Of the track that ends first, how much lacks before the kill; and the pictures that lack before that.

    Of a recording on a disk that got full as much must be there as it says itself that it has: ``told_s``.
    """
    try:
        events = read_manifest(folder)
    except (OSError, ValueError) as error:
        return 0.0, [f"its journal cannot be read: {error}"]
    started_s = next(event.at_s for event in events if isinstance(event, Started))
    truth.due_s = truth.told.until_s - started_s
    if truth.told.full_s < float("inf") and told_s is not None:
        truth.due_s = max(truth.due_s, told_s)
    worst_s, faults = 0.0, []
    for person in truth.people:
        end_s = _sound_end_s(folder, events, person.id)
        worst_s = max(worst_s, _lacking_s(end_s, started_s, truth))
        try:
            shown = list(_numbers(folder, events, person.id))
        except ValueError as error:
            faults.append(str(error))
            continue
        known = {number: at_s for number, at_s in person.camera.sent.items() if at_s >= started_s}
        end_s = max((known[number] for number in known if number % NUMBERS in set(shown)), default=started_s)
        worst_s = max(worst_s, _lacking_s(end_s, started_s, truth))
        faults += _holes(person.name, shown, known, started_s + BEGINS_S, end_s)
    return worst_s, faults


def _lacking_s(end_s: float, started_s: float, truth: Truth) -> float:
    """Nothing is due in the first moment."""
    return max(0.0, started_s + truth.due_s - max(end_s, started_s + BEGINS_S))


def _holes(name: str, shown: list[int], sent: dict[int, float], from_s: float, until_s: float) -> list[str]:
    due = {number for number, at_s in sent.items() if from_s <= at_s <= until_s}
    lacking = sorted(number for number in due if number % NUMBERS not in set(shown))
    faults = [f"of {name} {len(lacking)} of {len(due)} pictures are missing: {lacking[:5]}"] if lacking else []
    if shown != sorted(shown):
        faults.append(f"pictures of {name} are not in order")
    return faults


def _of(events: list[AnyEvent], person: str, source: str) -> Iterator[SegmentStarted]:
    for event in events:
        if isinstance(event, SegmentStarted) and (event.participant_id, event.source) == (person, source):
            yield event


def _sound_end_s(folder: Path, events: list[AnyEvent], person: str) -> float:
    ends = [
        each.wall_s - each.preroll_s + segment_duration_s(folder / SEGMENTS / each.file)
        for each in _of(events, person, "microphone")
    ]
    return max(ends, default=0.0)


def _numbers(folder: Path, events: list[AnyEvent], person: str) -> Iterator[int]:
    """Of all pictures of a camera, in the order in which they lie there.

    Not every number can be read, small as the picture is: a file's first that can says what its timestamps mean, and
    those that follow must say the same.
    """
    for segment in _of(events, person, "camera"):
        offset: int | None = None
        places = []
        for time_s, number in _looks(folder / SEGMENTS / segment.file):
            place = round(time_s * FRAMERATE_HZ)
            places.append(place)
            if number is not None:
                offset = number - place if offset is None else offset
                if number != offset + place:
                    raise ValueError(f"{segment.file}: picture {number} lies where {offset + place} should be")
        if offset is not None:
            yield from (offset + place for place in places)


def _looks(path: Path) -> Iterator[tuple[float, int | None]]:
    """Time in the file and number of every picture."""
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield float(frame.time or 0), look(planes_of(frame)[0]).background
    except av.FFmpegError:  # cut short by the kill: read up to there
        return


async def differing(folder: Path, told: dict[str, Any]) -> list[str]:
    """Names of the results that are not, bit by bit, those of a run on a copy that nobody disturbs.

    ``told`` is a job as the server shows it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        copy.mkdir()
        shutil.copy(folder / MANIFEST_NAME, copy)
        shutil.copytree(folder / SEGMENTS, copy / SEGMENTS)
        job = await _processed(copy, Path(temporary), ProcessRequest.model_validate(told["request"]))
        results = told["results"]
        names = results.keys() | job.results.keys()
        return sorted(
            name for name in names if _digest(folder, results.get(name)) != _digest(copy, job.results.get(name))
        )


async def _processed(folder: Path, place: Path, request: ProcessRequest) -> JobView:
    ended: asyncio.Future[JobView] = asyncio.get_running_loop().create_future()

    def on_change(job: JobView) -> None:
        if job.state not in ("queued", "running") and not ended.done():
            ended.set_result(job)

    settings = load_settings(None, {})
    database = await Database.open(place / "state.sqlite3")
    scheduler = Scheduler(database, settings, on_change, registry=discover())
    try:
        await scheduler.submit(folder.name, folder, request)
        return await ended
    finally:
        await scheduler.close()
        await database.close()


def _digest(folder: Path, path: str | None) -> str:
    return hashlib.sha256((folder / path).read_bytes()).hexdigest() if path else ""
