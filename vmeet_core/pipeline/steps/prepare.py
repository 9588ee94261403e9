"""The first step: reads the manifest or the file, and describes the media for the rest of the graph."""

import hashlib
import logging
from pathlib import Path

from pydantic import BaseModel

from vmeet_core.hookspecs import Permanent
from vmeet_core.manifest import SEGMENTS, read_manifest
from vmeet_core.media.probe import MediaInfo, PictureInfo, probe
from vmeet_core.media.segments import segment_duration_s
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Work
from vmeet_core.settings import Video
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline, Track, build_timeline

VERSION = 2
ROLE = "prepared"
_CHUNK_BYTES = 1 << 20
_log = logging.getLogger(__name__)


class FileParams(BaseModel):
    """Which media file: its absolute path, or one relative to the recording's folder; ``name`` is shown for it."""

    media: str
    name: str = ""


def run_recording(work: Work) -> None:
    """From the journal of a recording. Raises Permanent when nothing was recorded, ValueError for a bad journal."""
    timeline = build_timeline(read_manifest(work.folder), lambda file: _length_s(work.folder / SEGMENTS / file))
    timeline = timeline.model_copy(update={"people": tuple(_present(person, work) for person in timeline.people)})
    if not _segments(timeline):
        raise Permanent("nothing was recorded: no person's sound or picture reached the server")
    video = work.settings.video
    canvas = CanvasFormat(width=video.width_px, height=video.height_px, fps=str(video.fps))
    _finish(work, timeline, canvas, is_meeting=True)


def run_file(work: Work) -> None:
    """From any media file: one person, who is heard and seen all the time. Raises MediaError."""
    params = FileParams.model_validate(work.params)
    path = Path(params.media)
    info = probe(work.folder / path)
    name = params.name or path.stem
    timeline = Timeline(
        recording_id=path.name,
        title=name,
        duration_s=info.duration_s,
        complete=True,
        people=(_whole(path, name, info),),
    )
    canvas = _canvas(info.picture, work.settings.video) if info.picture else None
    _finish(work, timeline, canvas, is_meeting=False)


def _length_s(path: Path) -> float:
    try:
        return segment_duration_s(path)
    except FileNotFoundError:
        return 0.0


def _present(person: Person, work: Work) -> Person:
    """Without the segments whose files are gone."""
    tracks = []
    for track in person.tracks:
        there = tuple(segment for segment in track.segments if (work.folder / segment.file).is_file())
        for segment in set(track.segments) - set(there):
            _log.warning("%s of %s is missing, and left out", segment.file, person.name)
        tracks.append(track.model_copy(update={"segments": there}))
    return person.model_copy(update={"tracks": tuple(tracks)})


def _segments(timeline: Timeline) -> list[SegmentSpan]:
    return [segment for person in timeline.people for track in person.tracks for segment in track.segments]


def _finish(work: Work, timeline: Timeline, canvas: CanvasFormat | None, *, is_meeting: bool) -> None:
    files = [segment.file for segment in _segments(timeline)]
    digests = {}
    for number, file in enumerate(dict.fromkeys(files), start=1):
        digests[file] = _digest(work.folder / file)
        work.progress(number / len(files))
    prepared = Prepared(timeline=timeline, canvas=canvas, digests=digests, is_meeting=is_meeting)
    work.outputs[ROLE].write_text(prepared.model_dump_json(), encoding="utf-8")


def _digest(path: Path) -> str:
    """Size and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return f"{path.stat().st_size}:{digest.hexdigest()}"


def _whole(path: Path, name: str, info: MediaInfo) -> Person:
    sound = _track("microphone", path, info, info.sound_codec, 48_000)
    picture = _track("camera", path, info, info.picture_codec, 90_000)
    return Person(
        id="file",
        name=name,
        present=(Span(start_s=0, end_s=info.duration_s),),
        tracks=tuple(track for track in (sound, picture) if track),
    )


def _track(source: str, path: Path, info: MediaInfo, codec: str | None, clock_hz: int) -> Track | None:
    if codec is None:
        return None
    segment = SegmentSpan(
        file=str(path), codec=codec, clock_hz=clock_hz, start_s=0, trim_s=info.start_s, duration_s=info.duration_s
    )
    return Track.model_validate({"source": source, "segments": (segment,)})


def _canvas(picture: PictureInfo, most: Video) -> CanvasFormat:
    """The picture's own size, made smaller where it is larger than the settings'."""
    scale = min(1.0, most.width_px / picture.width, most.height_px / picture.height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (picture.width, picture.height))
    return CanvasFormat(width=width, height=height, fps=str(picture.fps), labels=False)
