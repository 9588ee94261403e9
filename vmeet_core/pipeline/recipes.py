"""How each step is specified: its name, what it reads, what it makes; for the whole of a recording."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal

from vmeet_core.media.transcript_files import FILES
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Output, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import (
    audio,
    captions,
    chapters,
    denoise,
    join,
    layout,
    mix,
    phrases,
    thumbnail,
    transcribe,
    transcript,
    voices,
)
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.settings import LayoutName, Settings
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline

PICTURE, PERSON_PICTURE, VOICES, SPEECH, TRANSCRIPT = "picture", "person-picture", "voices", "speech", "transcript"
PHRASES = "phrases"
LAYOUT_TITLE, VOICES_TITLE, TRANSCRIBE_TITLE = "Layout and encode", "Find out who speaks", "Transcribe"


def audio_step(prepared: Prepared, person: Person, number: int) -> StepSpec:
    segments = person.segments("microphone")
    result = f"audio:{person.id}"
    return StepSpec(
        name=result,
        title=f"Sound of {person.name}",
        function=function_of(audio),
        version=audio.VERSION,
        params=audio.Params(segments=segments, duration_s=prepared.timeline.duration_s).model_dump(mode="json"),
        outputs={audio.ROLE: Output(result=result, file=file_name("audio", person, number))},
        files=digests(prepared, segments),
    )


def denoise_step(person: Person, number: int, plugin: PluginUse) -> StepSpec:
    result = f"audio-denoised:{person.id}"
    return StepSpec(
        name=f"denoise:{person.id}",
        title=f"Denoise {person.name}",
        function=function_of(denoise),
        version=denoise.VERSION,
        params=denoise.Params(denoiser=plugin.name, options=plugin.options).model_dump(mode="json"),
        inputs={denoise.INPUT: f"audio:{person.id}"},
        outputs={denoise.ROLE: Output(result=result, file=file_name("audio-denoised", person, number))},
        plugin=plugin,
    )


def transcribe_step(prepared: Prepared, people: list[Person], request: ProcessRequest, plugin: PluginUse) -> StepSpec:
    """Everybody's whole speech. A file's one speaker is called as the file is: that is no word to expect."""
    source = speech_source(request)
    params = transcribe.Params(
        transcriber=plugin.name,
        options=plugin.options,
        language=request.language,
        hot_words=names_to_expect(prepared, prepared.timeline.duration_s),
        people=tuple(person.id for person in people),
    )
    return StepSpec(
        name="transcribe",
        title=TRANSCRIBE_TITLE,
        function=function_of(transcribe),
        version=transcribe.VERSION,
        params=params.model_dump(mode="json"),
        inputs={f"{transcribe.NOW}:{person.id}": f"{source}:{person.id}" for person in people},
        outputs={transcribe.ROLE: Output(result=SPEECH, file="speech.json")},
        plugin=plugin,
    )


def speech_source(request: ProcessRequest) -> Literal["audio", "audio-denoised"]:
    """The sound that is transcribed."""
    return "audio-denoised" if request.denoiser and request.transcribe_from == "denoised" else "audio"


def names_to_expect(prepared: Prepared, until_s: float) -> tuple[str, ...]:
    """Of the people who had come by then: whoever comes later changes nothing of what was said before."""
    if not prepared.is_meeting:
        return ()
    known = (person for person in prepared.timeline.people if any(span.start_s < until_s for span in person.present))
    return tuple(dict.fromkeys(person.name for person in known if person.name))


def transcript_step(prepared: Prepared, people: list[Person], request: ProcessRequest, speech: list[str]) -> StepSpec:
    """``speech`` are the results that it is put together from."""
    params = transcript.Params(
        names={person.id: person.name if prepared.is_meeting else "" for person in people},
        transcriber=request.transcriber or "",
        script=request.script,
        numbers=request.numbers,
        title=request.title or prepared.timeline.title,
        started_at=datetime.fromtimestamp(prepared.started_at_s).astimezone() if prepared.started_at_s else None,
        duration_s=prepared.timeline.duration_s,
    )
    files = {result: Output(result=result, file=file.name) for result, file in FILES.items()}
    return StepSpec(
        name=TRANSCRIPT,
        title="Transcript",
        function=function_of(transcript),
        version=transcript.VERSION,
        params=params.model_dump(mode="json"),
        inputs={result: result for result in speech},
        outputs={transcript.ROLE: Output(result=TRANSCRIPT, file="transcript.json")} | files,
    )


def mix_step(people: list[Person], source: str, result: str, title: str) -> StepSpec:
    return StepSpec(
        name=result,
        title=title,
        function=function_of(mix),
        version=mix.VERSION,
        inputs={person.id: f"{source}:{person.id}" for person in people},
        outputs={mix.ROLE: Output(result=result, file=f"{result}.flac")},
    )


def voices_step(people: list[Person]) -> StepSpec:
    return StepSpec(
        name=VOICES,
        title=VOICES_TITLE,
        function=function_of(voices),
        version=voices.VERSION,
        inputs={person.id: f"audio:{person.id}" for person in people},
        outputs={voices.ROLE: Output(result=VOICES, file="voices.json")},
    )


def layout_name(prepared: Prepared, request: ProcessRequest, settings: Settings) -> LayoutName:
    """A file has one person: it looks the same either way."""
    return (request.layout or settings.video.layout) if prepared.is_meeting else "grid"


def layout_step(prepared: Prepared, canvas: CanvasFormat, name: LayoutName) -> StepSpec:
    timeline = prepared.timeline
    params = layout.Params(canvas=canvas, duration_s=timeline.duration_s, seats=seats(timeline), layout=name)
    return picture_step(prepared, params, "layout", LAYOUT_TITLE, PICTURE, "picture.mp4").model_copy(
        update={"inputs": {layout.VOICES: VOICES} if needs_voices(timeline, name) else {}}
    )


def picture_step(prepared: Prepared, params: layout.Params, name: str, title: str, result: str, file: str) -> StepSpec:
    used = [segment for seat in params.seats for segment in seat.segments]
    return StepSpec(
        name=name,
        title=title,
        function=function_of(layout),
        version=layout.VERSION,
        params=params.model_dump(mode="json"),
        outputs={layout.ROLE: Output(result=result, file=file)},
        files=digests(prepared, used),
    )


def seats(timeline: Timeline) -> tuple[layout.SeatParams, ...]:
    """Shared screens first, then people in the order in which they came."""
    screens = [
        layout.SeatParams(
            name=person.name,
            person=person.id,
            is_screen=True,
            present=tuple(layout.screen_spans(person.segments("screen"))),
            segments=person.segments("screen"),
            muted=person.muted("screen"),
        )
        for person in timeline.people
        if person.segments("screen")
    ]
    return (*screens, *(camera_seat(person, person.present) for person in timeline.people))


def needs_voices(timeline: Timeline, name: LayoutName) -> bool:
    """Whether who is seen depends on who is heard."""
    return name == "speaker" and any(person.segments("microphone") for person in timeline.people)


def heard_people(timeline: Timeline) -> list[Person]:
    return [person for person in timeline.people if person.segments("microphone")]


def camera_seat(person: Person, present: tuple[Span, ...]) -> layout.SeatParams:
    return layout.SeatParams(
        name=person.name,
        person=person.id,
        present=present,
        segments=camera(person),
        muted=person.muted("camera"),
    )


def camera(person: Person) -> tuple[SegmentSpan, ...]:
    return person.segments("camera") or person.segments("camera-small")


def join_steps(prepared: Prepared, pictures: Sequence[str], heard: bool, denoised: bool, title: str) -> list[StepSpec]:
    """The file that people play; with a denoiser, a second one with the sound as it was. ``pictures`` are results."""
    name = "video" if pictures else "sound"
    sound = ("mix-denoised" if denoised else "mix") if heard else None
    kind = "mp4" if pictures else "m4a"
    title = title or prepared.timeline.title
    steps = [_join(name, "Join", f"meeting.{kind}", pictures, sound, title)]
    if denoised:
        file = f"meeting-original.{kind}"
        steps.append(_join(f"{name}-original", "Join with the original sound", file, pictures, "mix", title))
    return steps


def track_steps(prepared: Prepared, heard: list[Person], is_transcribed: bool) -> list[StepSpec]:
    """What lies beside the video as text. A file's one speaker has no name worth a caption, but words."""
    steps = [_chapters_step(prepared)] if prepared.is_meeting else []
    if heard and is_transcribed:
        steps.append(
            _captions_step("run_transcript", captions.TRANSCRIPT_VERSION, {}, {captions.TRANSCRIPT: TRANSCRIPT})
        )
    elif heard and prepared.is_meeting:
        names = captions.Params(names={person.id: person.name for person in heard})
        steps.append(_captions_step("run", captions.VERSION, names.model_dump(mode="json"), {captions.VOICES: VOICES}))
    return steps


def _chapters_step(prepared: Prepared) -> StepSpec:
    timeline = prepared.timeline
    params = chapters.Params(happenings=chapters.happenings(timeline), duration_s=timeline.duration_s)
    return StepSpec(
        name="chapters",
        title="Chapters",
        function=function_of(chapters),
        version=chapters.VERSION,
        params=params.model_dump(mode="json"),
        outputs={chapters.ROLE: Output(result="chapters", file="chapters.vtt")},
    )


def _captions_step(function: str, version: int, params: dict[str, Any], inputs: dict[str, str]) -> StepSpec:
    return StepSpec(
        name="captions",
        title="Captions",
        function=function_of(captions, function),
        version=version,
        params=params,
        inputs=inputs,
        outputs={captions.ROLE: Output(result="captions", file="captions.vtt")},
    )


def per_person_steps(prepared: Prepared, denoised: bool, transcribed: bool) -> list[StepSpec]:
    """Of each person who was heard, the sound, and its phrases; of each who was seen, a video over the whole time, with
    the sound.
    """
    steps = []
    kind = "audio-denoised" if denoised else "audio"
    for number, person in enumerate(prepared.timeline.people, start=1):
        heard, seen = bool(person.segments("microphone")), bool(camera(person))
        sound = f"{kind}:{person.id}" if heard else None
        if heard:
            file = file_name("person", person, number, "m4a")
            steps.append(_person_join(f"person-audio:{person.id}", person, file, (), sound))
        if seen and prepared.canvas:
            steps.append(_person_picture(prepared, prepared.canvas, person, number))
            file = file_name("person", person, number, "mp4")
            picture = f"{PERSON_PICTURE}:{person.id}"
            steps.append(_person_join(f"person-video:{person.id}", person, file, (picture,), sound))
    people = heard_people(prepared.timeline)
    return [*steps, _phrases_step(people, kind, transcribed)] if people else steps


def _phrases_step(people: list[Person], source: str, transcribed: bool) -> StepSpec:
    inputs = {f"{phrases.SOUND}:{person.id}": f"{source}:{person.id}" for person in people}
    return StepSpec(
        name=PHRASES,
        title="Phrases",
        function=function_of(phrases),
        version=phrases.VERSION,
        params=phrases.Params(names={person.id: person.name for person in people}).model_dump(),
        inputs=inputs | ({phrases.TRANSCRIPT: TRANSCRIPT} if transcribed else {}),
        outputs={phrases.ROLE: Output(result=PHRASES, file="phrases.zip")},
    )


def _person_picture(prepared: Prepared, canvas: CanvasFormat, person: Person, number: int) -> StepSpec:
    duration_s = prepared.timeline.duration_s
    seat = camera_seat(person, (Span(start_s=0, end_s=duration_s + 1),))
    params = layout.Params(canvas=canvas, duration_s=duration_s, seats=(seat,))
    name, file = f"{PERSON_PICTURE}:{person.id}", file_name("picture", person, number, "mp4")
    return picture_step(prepared, params, name, f"Picture of {person.name}", name, file)


def _person_join(result: str, person: Person, file: str, pictures: Sequence[str], sound: str | None) -> StepSpec:
    kind = "Video" if pictures else "Sound file"
    step = _join(result, f"{kind} of {person.name}", file, pictures, sound, person.name)
    return step.model_copy(update={"name": result})


def _join(result: str, title: str, file: str, pictures: Sequence[str], sound: str | None, shown_title: str) -> StepSpec:
    roles = [join.PICTURE] if len(pictures) == 1 else [join.part_role(number) for number in range(len(pictures))]
    inputs = dict(zip(roles, pictures, strict=True))
    return StepSpec(
        name=f"join:{result}",
        title=title,
        function=function_of(join),
        version=join.VERSION,
        params=join.Params(title=shown_title).model_dump(),
        inputs=inputs | ({join.SOUND: sound} if sound else {}),
        outputs={join.ROLE: Output(result=result, file=file)},
    )


def best_moment_s(timeline: Timeline) -> float:
    """When the thumbnail is taken."""
    seen = [segment for seat in seats(timeline) for segment in seat.segments]
    return thumbnail.best_moment_s(seen, timeline.duration_s)


def thumbnail_step(picture: str, at_s: float) -> StepSpec:
    """``at_s`` into the file of that result."""
    return StepSpec(
        name="thumbnail",
        title="Thumbnail",
        function=function_of(thumbnail),
        version=thumbnail.VERSION,
        params=thumbnail.Params(at_s=at_s).model_dump(),
        inputs={thumbnail.INPUT: picture},
        outputs={thumbnail.ROLE: Output(result="thumbnail", file="thumbnail.jpg")},
    )


def digests(prepared: Prepared, segments: tuple[SegmentSpan, ...] | list[SegmentSpan]) -> dict[str, str]:
    return {segment.file: prepared.digests[segment.file] for segment in segments}


def file_name(kind: str, person: Person, number: int, ending: str = "flac") -> str:
    """The number keeps apart two ids that look alike on a file system."""
    return f"{kind}-{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', PurePath(person.id).name)[:32]}.{ending}"
