"""The graph of a job: which steps a recording needs, built from what the first step found and what was asked for."""

import re
from pathlib import PurePath
from typing import Any

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Output, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import audio, denoise, join, layout, mix, prepare, thumbnail
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry, UnknownProvider, allowed
from vmeet_core.settings import Settings, SettingsError, validated
from vmeet_core.timeline import Person, SegmentSpan, Timeline

PREPARED, PICTURE = "prepared", "picture"
HIDDEN = (PREPARED, PICTURE)  #: results that only other steps read
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
    steps = []
    if prepared.canvas:
        steps.append(_layout(prepared, prepared.canvas))
    steps += [_audio(prepared, person, number) for number, person in enumerate(heard, start=1)]
    if heard:
        steps.append(_mix(heard, "audio", "mix", "Mix"))
    if heard and plugin:
        steps += [_denoise(person, number, plugin) for number, person in enumerate(heard, start=1)]
        steps.append(_mix(heard, "audio-denoised", "mix-denoised", "Mix of the denoised sound"))
    steps += _joins(prepared, bool(heard), bool(heard and plugin), request.title)
    if prepared.canvas:
        steps.append(_thumbnail(prepared.timeline))
    return steps


def _prepare(function: str, title: str, params: dict[str, Any]) -> StepSpec:
    return StepSpec(
        name=PREPARE,
        title=title,
        function=function_of(prepare, function),
        version=prepare.VERSION,
        params=params,
        outputs={prepare.ROLE: Output(result=PREPARED, file=PREPARED_FILE)},
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


def _layout(prepared: Prepared, canvas: CanvasFormat) -> StepSpec:
    params = layout.Params(canvas=canvas, duration_s=prepared.timeline.duration_s, seats=_seats(prepared.timeline))
    used = [segment for seat in params.seats for segment in seat.segments]
    return StepSpec(
        name="layout",
        title="Layout and encode",
        function=function_of(layout),
        version=layout.VERSION,
        params=params.model_dump(mode="json"),
        outputs={layout.ROLE: Output(result=PICTURE, file="picture.mp4")},
        files=_digests(prepared, used),
    )


def _seats(timeline: Timeline) -> tuple[layout.SeatParams, ...]:
    """Shared screens first, then people in the order in which they came."""
    screens = [
        layout.SeatParams(
            name=person.name,
            present=tuple(layout.screen_spans(person.segments("screen"))),
            segments=person.segments("screen"),
            muted=person.muted("screen"),
        )
        for person in timeline.people
        if person.segments("screen")
    ]
    cameras = [
        layout.SeatParams(
            name=person.name, present=person.present, segments=_camera(person), muted=person.muted("camera")
        )
        for person in timeline.people
    ]
    return tuple(screens + cameras)


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


def _file(kind: str, person: Person, number: int) -> str:
    """The number keeps apart two ids that look alike on a file system."""
    return f"{kind}-{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', PurePath(person.id).name)[:32]}.flac"
