"""The graph of a job: which steps a recording needs, built from what the first step found and what was asked for."""

import re
from pathlib import PurePath
from typing import Any

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Output, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import audio, captions, chapters, denoise, join, layout, mix, prepare, thumbnail, voices
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry, UnknownProvider, allowed
from vmeet_core.settings import LayoutName, Settings, SettingsError, validated
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline

PREPARED, PICTURE, PERSON_PICTURE, VOICES = "prepared", "picture", "person-picture", "voices"
HIDDEN = (PREPARED, PICTURE, PERSON_PICTURE, VOICES)  #: results that only other steps read, before any ":"
PREPARE = "prepare"  #: the name of the first step
PREPARED_FILE = "prepared.json"


def prepare_recording() -> StepSpec:
    """The first step of a job on a recording."""
    return _prepare("run_recording", "Read the recording", {})


def prepare_file(media: str, name: str = "") -> StepSpec:
    """The first step of a job on any media file, given by its absolute path or by the one in the recording's folder.

    ``name`` is what the file is called; without it, it is called as the file is.
    """
    return _prepare("run_file", "Read the file", prepare.FileParams(media=media, name=name).model_dump())


def check_request(request: ProcessRequest, settings: Settings, registry: Registry) -> None:
    """Raises Permanent for a denoiser that is unknown, not allowed, or given wrong options."""
    _plugin_use(request, settings, registry)


def build_graph(prepared: Prepared, request: ProcessRequest, settings: Settings, registry: Registry) -> list[StepSpec]:
    """All further steps, each after those that it reads from. Raises Permanent as ``check_request``."""
    plugin = _plugin_use(request, settings, registry)
    heard = [person for person in prepared.timeline.people if person.segments("microphone")]
    sounds = [_audio(prepared, person, number) for number, person in enumerate(heard, start=1)]
    if prepared.is_meeting and heard:
        sounds.append(_voices(heard))
    pictures = (
        [_layout(prepared, prepared.canvas, _layout_name(prepared, request, settings))] if prepared.canvas else []
    )
    needs_voices = any(layout.VOICES in step.inputs for step in pictures)
    steps = [*sounds, *pictures] if needs_voices else [*pictures, *sounds]
    if heard:
        steps.append(_mix(heard, "audio", "mix", "Mix"))
    if heard and plugin:
        steps += [_denoise(person, number, plugin) for number, person in enumerate(heard, start=1)]
        steps.append(_mix(heard, "audio-denoised", "mix-denoised", "Mix of the denoised sound"))
    steps += _joins(prepared, bool(heard), bool(heard and plugin), request.title)
    if prepared.canvas:
        steps.append(_thumbnail(prepared.timeline))
    steps += _tracks(prepared, heard)
    if request.files == "per-person":
        steps += _per_person(prepared, bool(plugin))
    return steps


def is_hidden(result: str) -> bool:
    """Whether only other steps read that result."""
    return result.partition(":")[0] in HIDDEN


def _prepare(function: str, title: str, params: dict[str, Any]) -> StepSpec:
    return StepSpec(
        name=PREPARE,
        title=title,
        function=function_of(prepare, function),
        version=prepare.VERSION,
        params=params,
        outputs={prepare.ROLE: Output(result=PREPARED, file=PREPARED_FILE)},
        reads_folder=True,
    )


def _plugin_use(request: ProcessRequest, settings: Settings, registry: Registry) -> PluginUse | None:
    if request.denoiser is None:
        return None
    try:
        provider = registry.get("denoisers", request.denoiser)
        given = request.options.get(request.denoiser, {})
        options = validated(provider.options, given, f"options.{request.denoiser}")
    except (UnknownProvider, SettingsError) as error:
        raise Permanent(str(error)) from None
    refused = allowed(settings, provider)
    if refused:
        raise Permanent(refused)
    return PluginUse(
        kind="denoisers",
        name=provider.name,
        version=provider.version,
        weights={weight.name: weight.sha256 for weight in provider.weights},
        options=options.model_dump(mode="json"),
    )


def _audio(prepared: Prepared, person: Person, number: int) -> StepSpec:
    segments = person.segments("microphone")
    result = f"audio:{person.id}"
    return StepSpec(
        name=result,
        title=f"Sound of {person.name}",
        function=function_of(audio),
        version=audio.VERSION,
        params=audio.Params(segments=segments, duration_s=prepared.timeline.duration_s).model_dump(mode="json"),
        outputs={audio.ROLE: Output(result=result, file=_file("audio", person, number))},
        files=_digests(prepared, segments),
    )


def _denoise(person: Person, number: int, plugin: PluginUse) -> StepSpec:
    result = f"audio-denoised:{person.id}"
    return StepSpec(
        name=f"denoise:{person.id}",
        title=f"Denoise {person.name}",
        function=function_of(denoise),
        version=denoise.VERSION,
        params=denoise.Params(denoiser=plugin.name, options=plugin.options).model_dump(mode="json"),
        inputs={denoise.INPUT: f"audio:{person.id}"},
        outputs={denoise.ROLE: Output(result=result, file=_file("audio-denoised", person, number))},
        plugin=plugin,
    )


def _mix(people: list[Person], source: str, result: str, title: str) -> StepSpec:
    return StepSpec(
        name=result,
        title=title,
        function=function_of(mix),
        version=mix.VERSION,
        inputs={person.id: f"{source}:{person.id}" for person in people},
        outputs={mix.ROLE: Output(result=result, file=f"{result}.flac")},
    )


def _voices(people: list[Person]) -> StepSpec:
    return StepSpec(
        name=VOICES,
        title="Find out who speaks",
        function=function_of(voices),
        version=voices.VERSION,
        inputs={person.id: f"audio:{person.id}" for person in people},
        outputs={voices.ROLE: Output(result=VOICES, file="voices.json")},
    )


def _layout_name(prepared: Prepared, request: ProcessRequest, settings: Settings) -> LayoutName:
    """A file has one person: it looks the same either way."""
    return (request.layout or settings.video.layout) if prepared.is_meeting else "grid"


def _layout(prepared: Prepared, canvas: CanvasFormat, name: LayoutName) -> StepSpec:
    timeline = prepared.timeline
    params = layout.Params(canvas=canvas, duration_s=timeline.duration_s, seats=_seats(timeline), layout=name)
    needs_voices = name == "speaker" and any(person.segments("microphone") for person in timeline.people)
    return _picture(prepared, params, "layout", "Layout and encode", PICTURE, "picture.mp4").model_copy(
        update={"inputs": {layout.VOICES: VOICES} if needs_voices else {}}
    )


def _picture(prepared: Prepared, params: layout.Params, name: str, title: str, result: str, file: str) -> StepSpec:
    used = [segment for seat in params.seats for segment in seat.segments]
    return StepSpec(
        name=name,
        title=title,
        function=function_of(layout),
        version=layout.VERSION,
        params=params.model_dump(mode="json"),
        outputs={layout.ROLE: Output(result=result, file=file)},
        files=_digests(prepared, used),
    )


def _seats(timeline: Timeline) -> tuple[layout.SeatParams, ...]:
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
    return (*screens, *(_camera_seat(person, person.present) for person in timeline.people))


def _camera_seat(person: Person, present: tuple[Span, ...]) -> layout.SeatParams:
    return layout.SeatParams(
        name=person.name,
        person=person.id,
        present=present,
        segments=_camera(person),
        muted=person.muted("camera"),
    )


def _camera(person: Person) -> tuple[SegmentSpan, ...]:
    return person.segments("camera") or person.segments("camera-small")


def _joins(prepared: Prepared, heard: bool, denoised: bool, title: str) -> list[StepSpec]:
    """The file that people play; with a denoiser, a second one with the sound as it was."""
    picture, name = (PICTURE, "video") if prepared.canvas else (None, "sound")
    sound = ("mix-denoised" if denoised else "mix") if heard else None
    kind = "mp4" if prepared.canvas else "m4a"
    title = title or prepared.timeline.title
    steps = [_join(name, "Join", f"meeting.{kind}", picture, sound, title)]
    if denoised:
        file = f"meeting-original.{kind}"
        steps.append(_join(f"{name}-original", "Join with the original sound", file, picture, "mix", title))
    return steps


def _tracks(prepared: Prepared, heard: list[Person]) -> list[StepSpec]:
    """What lies beside the video as text. A file's one speaker has no name worth a caption."""
    if not prepared.is_meeting:
        return []
    timeline = prepared.timeline
    params = chapters.Params(happenings=chapters.happenings(timeline), duration_s=timeline.duration_s)
    steps = [
        StepSpec(
            name="chapters",
            title="Chapters",
            function=function_of(chapters),
            version=chapters.VERSION,
            params=params.model_dump(mode="json"),
            outputs={chapters.ROLE: Output(result="chapters", file="chapters.vtt")},
        )
    ]
    if heard:
        names = captions.Params(names={person.id: person.name for person in heard})
        steps.append(
            StepSpec(
                name="captions",
                title="Captions",
                function=function_of(captions),
                version=captions.VERSION,
                params=names.model_dump(mode="json"),
                inputs={captions.VOICES: VOICES},
                outputs={captions.ROLE: Output(result="captions", file="captions.vtt")},
            )
        )
    return steps


def _per_person(prepared: Prepared, denoised: bool) -> list[StepSpec]:
    """Of each person who was heard, the sound; of each who was seen, a video over the whole time, with the sound."""
    steps = []
    kind = "audio-denoised" if denoised else "audio"
    for number, person in enumerate(prepared.timeline.people, start=1):
        heard, seen = bool(person.segments("microphone")), bool(_camera(person))
        sound = f"{kind}:{person.id}" if heard else None
        if heard:
            file = _file("person", person, number, "m4a")
            steps.append(_person_join(f"person-audio:{person.id}", person, file, None, sound))
        if seen and prepared.canvas:
            steps.append(_person_picture(prepared, prepared.canvas, person, number))
            file = _file("person", person, number, "mp4")
            picture = f"{PERSON_PICTURE}:{person.id}"
            steps.append(_person_join(f"person-video:{person.id}", person, file, picture, sound))
    return steps


def _person_picture(prepared: Prepared, canvas: CanvasFormat, person: Person, number: int) -> StepSpec:
    duration_s = prepared.timeline.duration_s
    seat = _camera_seat(person, (Span(start_s=0, end_s=duration_s + 1),))
    params = layout.Params(canvas=canvas, duration_s=duration_s, seats=(seat,))
    name, file = f"{PERSON_PICTURE}:{person.id}", _file("picture", person, number, "mp4")
    return _picture(prepared, params, name, f"Picture of {person.name}", name, file)


def _person_join(result: str, person: Person, file: str, picture: str | None, sound: str | None) -> StepSpec:
    kind = "Video" if picture else "Sound file"
    step = _join(result, f"{kind} of {person.name}", file, picture, sound, person.name)
    return step.model_copy(update={"name": result})


def _join(result: str, title: str, file: str, picture: str | None, sound: str | None, shown_title: str) -> StepSpec:
    inputs = {join.PICTURE: picture, join.SOUND: sound}
    return StepSpec(
        name=f"join:{result}",
        title=title,
        function=function_of(join),
        version=join.VERSION,
        params=join.Params(title=shown_title).model_dump(),
        inputs={role: read for role, read in inputs.items() if read},
        outputs={join.ROLE: Output(result=result, file=file)},
    )


def _thumbnail(timeline: Timeline) -> StepSpec:
    seen = [segment for seat in _seats(timeline) for segment in seat.segments]
    return StepSpec(
        name="thumbnail",
        title="Thumbnail",
        function=function_of(thumbnail),
        version=thumbnail.VERSION,
        params=thumbnail.Params(at_s=thumbnail.best_moment_s(seen, timeline.duration_s)).model_dump(),
        inputs={thumbnail.INPUT: PICTURE},
        outputs={thumbnail.ROLE: Output(result="thumbnail", file="thumbnail.jpg")},
    )


def _digests(prepared: Prepared, segments: tuple[SegmentSpan, ...] | list[SegmentSpan]) -> dict[str, str]:
    return {segment.file: prepared.digests[segment.file] for segment in segments}


def _file(kind: str, person: Person, number: int, ending: str = "flac") -> str:
    """The number keeps apart two ids that look alike on a file system."""
    return f"{kind}-{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', PurePath(person.id).name)[:32]}.{ending}"
