"""The first step: reads the manifest or the file, and describes the media for the rest of the graph."""

import logging
from bisect import bisect_right
from math import ceil
from pathlib import Path

from pydantic import BaseModel

from vmeet_core.hookspecs import Permanent
from vmeet_core.manifest import SEGMENTS, Started, read_manifest
from vmeet_core.media.mux import KEYFRAME_S
from vmeet_core.media.probe import MediaInfo, PictureInfo, probe
from vmeet_core.media.segments import keyframe_times_s, segment_duration_s
from vmeet_core.pipeline.digests import Digests
from vmeet_core.pipeline.nothing_recorded import why_nothing_was_recorded
from vmeet_core.pipeline.parts import borders_every
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Work
from vmeet_core.readiness import ready_s
from vmeet_core.settings import Video
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline, Track, build_timeline

VERSION = 3
ROLE = "prepared"
PART_S, MOST_PARTS = 60.0, 16  #: of what was not recorded in parts: parts at least so long, and at most so many
KEYFRAME_WITHIN_S = 15.0  #: and a border only where no picture has to be decoded from further back
_log = logging.getLogger(__name__)


class FileParams(BaseModel):
    """Which media file: its absolute path, or one relative to the recording's folder; ``name`` is shown for it."""

    media: str
    name: str = ""


class RecordingParams(BaseModel):
    """``ahead``: the recording still runs."""

    ahead: bool = False


def run_recording(work: Work) -> None:
    """From the journal of a recording. Raises Permanent when nothing was recorded, ValueError for a bad journal."""
    ahead = RecordingParams.model_validate(work.params).ahead
    events = read_manifest(work.folder)
    timeline = build_timeline(events, lambda file: _length_s(work.folder / SEGMENTS / file))
    timeline = timeline.model_copy(update={"people": tuple(_present(person, work) for person in timeline.people)})
    if not ahead and not _segments(timeline):
        raise Permanent(why_nothing_was_recorded(events, timeline))
    video = work.settings.video
    canvas = CanvasFormat(width=video.width_px, height=video.height_px, fps=str(video.fps))
    started = next(event for event in events if isinstance(event, Started))
    part_s = started.part_s
    prepared = Prepared(
        timeline=timeline,
        canvas=canvas,
        digests={},
        is_cut=part_s is not None,
        ready_s=ready_s(events) if ahead else None,
        started_at_s=started.at_s,
    )
    if part_s is not None:
        prepared = prepared.model_copy(update={"borders": borders_every(part_s, timeline.duration_s)})
    _finish(work, prepared)


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
    _finish(work, Prepared(timeline=timeline, canvas=canvas, digests={}, is_meeting=False))


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


def _finish(work: Work, prepared: Prepared) -> None:
    """With digests, and borders where there are none yet."""
    timeline, ready = prepared.timeline, prepared.ready_s
    used = [segment for segment in _segments(timeline) if ready is None or segment.start_s < ready]
    files = list(dict.fromkeys(segment.file for segment in used))
    with Digests(work.folder) as known:
        digests = {}
        for number, file in enumerate(files, start=1):
            digests[file] = known.of(file)
            work.progress(number / len(files))
    borders = prepared.borders if prepared.is_cut else _borders(work.folder, timeline)
    prepared = prepared.model_copy(update={"digests": digests, "borders": borders})
    work.outputs[ROLE].write_text(prepared.model_dump_json(), encoding="utf-8")


def _borders(folder: Path, timeline: Timeline) -> tuple[float, ...]:
    """Of what was not recorded in parts: where every picture has a keyframe not long before."""
    part_s = max(PART_S, ceil(timeline.duration_s / MOST_PARTS / KEYFRAME_S) * KEYFRAME_S)
    candidates = borders_every(part_s, timeline.duration_s)
    for person in timeline.people:
        for segment in (*person.segments("camera"), *person.segments("screen")):
            inside = [border for border in candidates if segment.start_s < border < segment.end_s]
            if inside:
                zero_s = segment.start_s - segment.trim_s
                keyframes = [zero_s + at_s for at_s in keyframe_times_s(folder / segment.file)]
                bad = {border for border in inside if not _is_near(keyframes, border)}
                candidates = tuple(border for border in candidates if border not in bad)
    return candidates


def _is_near(keyframes: list[float], border: float) -> bool:
    """``keyframes`` in order."""
    number = bisect_right(keyframes, border)
    return number > 0 and border - keyframes[number - 1] <= KEYFRAME_WITHIN_S


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
