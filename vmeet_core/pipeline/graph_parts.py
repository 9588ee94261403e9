"""The steps of a recording in parts: what can be made of each part by itself, and what is made of all parts.

What is asked of a part tells of nothing outside it. So a step that was done while the recording still ran is the same
step afterwards, and is not done again.
"""

from math import inf
from typing import NamedTuple

from vmeet_core.pipeline.parts import Part, parts
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.recipes import (
    LAYOUT_TITLE,
    PICTURE,
    SPEECH,
    TRANSCRIBE_TITLE,
    VOICES,
    VOICES_TITLE,
    best_moment_s,
    digests,
    file_name,
    heard_people,
    join_steps,
    layout_name,
    names_to_expect,
    picture_step,
    seats,
    speech_source,
    thumbnail_step,
    track_steps,
    transcript_step,
)
from vmeet_core.pipeline.spec import Output, PluginsUsed, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import denoise, gather, layout, mix, sound, transcribe, voices
from vmeet_core.pipeline.steps.pieces import piece_role
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.settings import LayoutName, Settings
from vmeet_core.timeline import Person, SegmentSpan, clipped_spans, segments_within

PIECE, PIECE_DENOISED = "piece", "piece-denoised"
_LEVELS = sound.LEVELS

Segments = tuple[SegmentSpan, ...]


class _OfParts(NamedTuple):
    """Steps of parts: sound, denoised sound, speech, and pictures with what they need."""

    sounds: list[StepSpec]
    denoised: list[StepSpec]
    speech: list[StepSpec]
    pictures: list[StepSpec]


def part_steps(prepared: Prepared, request: ProcessRequest, settings: Settings, plugins: PluginsUsed) -> list[StepSpec]:
    """What can be made of the parts that are over, one part after the other: what comes later is only added."""
    cut = parts(prepared.borders, prepared.timeline.duration_s, prepared.ready_s)
    sounds, denoised, speech, pictures = _of_parts(prepared, cut, request, settings, plugins)
    steps = [*sounds, *denoised, *speech, *pictures]
    is_late = any(layout.VOICES in step.inputs for step in pictures)  # a picture needs the sound of the next part
    return sorted(steps, key=lambda step: _number(step) + (is_late and step in pictures))


def _number(step: StepSpec) -> int:
    """Of the part that a step makes."""
    return int(step.name.rpartition(":")[2])


def _of_parts(
    prepared: Prepared, cut: list[Part], request: ProcessRequest, settings: Settings, plugins: PluginsUsed
) -> _OfParts:
    heard = _heard(prepared, cut)
    name = layout_name(prepared, request, settings)
    denoiser, transcriber = plugins
    return _OfParts(
        _sound_steps(prepared, cut, heard) if name == "speaker" or heard_people(prepared.timeline) else [],
        [step for part in cut for step in _denoise_steps(prepared, cut, part, heard, denoiser)] if denoiser else [],
        _speech_steps(prepared, cut, heard, request, transcriber) if transcriber else [],
        _picture_steps(prepared, prepared.canvas, cut, heard, name) if prepared.canvas else [],
    )


def steps_in_parts(
    prepared: Prepared, request: ProcessRequest, settings: Settings, plugins: PluginsUsed
) -> list[StepSpec]:
    """All of it, what people wait for first: the sound, then what was said, then the picture."""
    plugin = plugins.denoiser
    timeline = prepared.timeline
    cut = parts(prepared.borders, timeline.duration_s)
    edges_s = _edges_s(cut)
    people = heard_people(timeline)
    heard = _heard(prepared, cut)
    sounds, denoised, speech, drawn = _of_parts(prepared, cut, request, settings, plugins)
    steps = [*sounds, *denoised]
    if people and plugin:
        lagging, lasting = denoise.lagging(edges_s), _lasting(heard)
        steps.append(_mix_step(_pieces(PIECE_DENOISED, cut, lasting), lagging, "mix-denoised", _DENOISED_MIX))
        steps += [
            _gather_step(person, number, "audio-denoised", PIECE_DENOISED, cut, lasting, lagging)
            for number, person in enumerate(people, start=1)
        ]
    elif people:
        steps.append(_mix_step(_pieces(PIECE, cut, heard), edges_s, "mix", "Mix"))
    if speech:
        made = [output.result for step in speech for output in step.outputs.values()]
        steps += [*speech, transcript_step(prepared, people, request, made)]
    steps += drawn
    pictures = [f"{PICTURE}:{part.number}" for part in cut] if prepared.canvas else []
    video, *original = join_steps(prepared, pictures, bool(people), bool(people and plugin), request.title)
    steps.append(video)
    if pictures:
        at_s = best_moment_s(timeline)
        seen = next(part for part in reversed(cut) if part.from_s <= at_s)
        steps.append(thumbnail_step(f"{PICTURE}:{seen.number}", at_s - seen.from_s))
    if prepared.is_meeting and people:
        steps.append(_all_voices_step(cut, people))
    steps += track_steps(prepared, people, bool(speech))
    if people and plugin:
        steps.append(_mix_step(_pieces(PIECE, cut, heard), edges_s, "mix", "Mix"))
    steps += original
    steps += [
        _gather_step(person, number, "audio", PIECE, cut, heard, edges_s)
        for number, person in enumerate(people, start=1)
    ]
    return steps


_SOUNDS, _DENOISING, _VOICES = "sound-parts", "denoise-parts", VOICES
_DENOISED_MIX = "Mix of the denoised sound"

Heard = list[dict[str, Segments]]  #: for each part: of whom something is heard, and which segments may be


def _edges_s(cut: list[Part]) -> tuple[float, ...]:
    return (cut[0].from_s, *(part.until_s for part in cut))


def _heard(prepared: Prepared, cut: list[Part]) -> Heard:
    found: Heard = []
    for part in cut:
        within = {
            person.id: segments_within(person.segments("microphone"), part.from_s, part.until_s)
            for person in heard_people(prepared.timeline)
        }
        found.append({person: segments for person, segments in within.items() if segments})
    return found


def _lasting(heard: Heard) -> Heard:
    """For denoised sound, which lags behind: whoever was heard in a part ends in the next one."""
    return [
        heard[0],
        *(heard[k] | {each: () for each in heard[k - 1] if each not in heard[k]} for k in range(1, len(heard))),
    ]


def _pieces(kind: str, cut: list[Part], heard: Heard) -> dict[str, str]:
    """Of all parts and people: role → result."""
    return {
        piece_role(index, person): f"{kind}:{piece_role(part.number, person)}"
        for index, part in enumerate(cut)
        for person in heard[index]
    }


def _piece_file(kind: str, part: Part, person: Person, prepared: Prepared) -> str:
    number = 1 + [each.id for each in prepared.timeline.people].index(person.id)
    return file_name(f"{kind}-{part.number}", person, number)


def _sound_steps(prepared: Prepared, cut: list[Part], heard: Heard) -> list[StepSpec]:
    """One for each part; all in one where each would have to read a file from its start."""
    runs = [[part] for part in cut] if prepared.is_cut or not cut else [cut]
    return [_sound_step(prepared, run, [heard[cut.index(part)] for part in run]) for run in runs]


def _sound_step(prepared: Prepared, run: list[Part], heard: Heard) -> StepSpec:
    people = {person.id: person for person in prepared.timeline.people}
    used: dict[str, list[SegmentSpan]] = {}
    for each in heard:
        for person, segments in each.items():
            used.setdefault(person, []).extend(s for s in segments if s not in used.get(person, []))
    params = sound.Params(
        first=run[0].number,
        edges_s=_edges_s(run),
        people={person: tuple(segments) for person, segments in used.items()},
    )
    outputs = {
        piece_role(part.number, person): Output(
            result=f"{PIECE}:{piece_role(part.number, person)}",
            file=_piece_file("piece", part, people[person], prepared),
        )
        for part, each in zip(run, heard, strict=True)
        for person in each
    }
    outputs |= {
        sound.levels_role(part.number): Output(result=f"{_LEVELS}:{part.number}", file=f"levels-{part.number}.npz")
        for part in run
    }
    return StepSpec(
        name=f"sound:{run[0].number}",
        title=f"Sound from {_clock(run[0].from_s)} on",
        function=function_of(sound),
        version=sound.VERSION,
        params=params.model_dump(mode="json"),
        outputs=outputs,
        files=digests(prepared, [segment for segments in used.values() for segment in segments]),
        group=_SOUNDS,
        group_title="Sound of everybody",
    )


def _denoise_steps(prepared: Prepared, cut: list[Part], part: Part, heard: Heard, plugin: PluginUse) -> list[StepSpec]:
    index = cut.index(part)
    now, before = heard[index], heard[index - 1] if index else {}
    who = list(_lasting(heard)[index])
    if not who:
        return []
    people = {person.id: person for person in prepared.timeline.people}
    params = denoise.PartParams(
        denoiser=plugin.name,
        options=plugin.options,
        people=tuple(who),
        duration_s=part.duration_s,
        before_s=cut[index - 1].duration_s if index else 0.0,
        is_last=part.is_last,
    )
    inputs = {f"{denoise.NOW}:{each}": f"{PIECE}:{piece_role(part.number, each)}" for each in now}
    inputs |= {f"{denoise.BEFORE}:{each}": f"{PIECE}:{piece_role(part.number - 1, each)}" for each in before}
    return [
        StepSpec(
            name=f"denoise-part:{part.number}",
            title=f"Denoise from {_clock(part.from_s)} on",
            function=function_of(denoise, "run_part"),
            version=denoise.VERSION,
            params=params.model_dump(mode="json"),
            inputs=inputs,
            outputs={
                each: Output(
                    result=f"{PIECE_DENOISED}:{piece_role(part.number, each)}",
                    file=_piece_file("piece-denoised", part, people[each], prepared),
                )
                for each in who
            },
            plugin=plugin,
            group=_DENOISING,
            group_title="Denoise everybody",
        )
    ]


def _speech_steps(
    prepared: Prepared, cut: list[Part], heard: Heard, request: ProcessRequest, plugin: PluginUse
) -> list[StepSpec]:
    """Whoever was heard in a part may go on speaking until the pause that is taken for its end in the next one."""
    if not cut:
        return []
    edges_s = _edges_s(cut)
    kind = PIECE
    if speech_source(request) == "audio-denoised":
        # The end of what is there so far may be a border, too.
        lagging = denoise.lagging((*edges_s, inf))[:-1] if not cut[-1].is_last else denoise.lagging(edges_s)
        kind, edges_s, heard = PIECE_DENOISED, lagging, _lasting(heard)
    return [
        _speech_step(prepared, cut, index, heard, edges_s, kind, request, plugin)
        for index, who in enumerate(_lasting(heard))
        if who
    ]


def _speech_step(
    prepared: Prepared,
    cut: list[Part],
    index: int,
    heard: Heard,
    edges_s: tuple[float, ...],
    kind: str,
    request: ProcessRequest,
    plugin: PluginUse,
) -> StepSpec:
    part, from_s = cut[index], edges_s[max(0, index - 1)]
    now, before = heard[index], heard[index - 1] if index else {}
    params = transcribe.Params(
        transcriber=plugin.name,
        options=plugin.options,
        language=request.language,
        hot_words=names_to_expect(prepared, part.until_s),
        people=tuple(_lasting(heard)[index]),
        from_s=from_s,
        before_s=edges_s[index] - from_s,
        duration_s=edges_s[index + 1] - edges_s[index],
        is_last=part.is_last,
    )
    inputs = {f"{transcribe.NOW}:{each}": f"{kind}:{piece_role(part.number, each)}" for each in now}
    inputs |= {f"{transcribe.BEFORE}:{each}": f"{kind}:{piece_role(part.number - 1, each)}" for each in before}
    return StepSpec(
        name=f"transcribe:{part.number}",
        title=f"Transcribe from {_clock(part.from_s)} on",
        function=function_of(transcribe),
        version=transcribe.VERSION,
        params=params.model_dump(mode="json"),
        inputs=inputs,
        outputs={transcribe.ROLE: Output(result=f"{SPEECH}:{part.number}", file=f"speech-{part.number}.json")},
        plugin=plugin,
        group="transcribe",
        group_title=TRANSCRIBE_TITLE,
    )


def _picture_steps(
    prepared: Prepared, canvas: CanvasFormat, cut: list[Part], heard: Heard, name: LayoutName
) -> list[StepSpec]:
    """Who is to be seen large in a part is only certain when the next one has been heard.

    That nobody was heard is no reason not to listen: of a running recording it may only be so up to now.
    """
    if name != "speaker":
        return [_layout_step(prepared, canvas, part, name) for part in cut]
    steps = []
    for part in cut if prepared.ready_s is None else cut[:-1]:
        steps.append(_voices_step(cut[: part.number + 2], heard, part))
        step = _layout_step(prepared, canvas, part, name)
        steps.append(step.model_copy(update={"inputs": {layout.VOICES: f"{VOICES}:{part.number}"}}))
    return steps


def _layout_step(prepared: Prepared, canvas: CanvasFormat, part: Part, name: LayoutName) -> StepSpec:
    shown = tuple(
        seat.model_copy(
            update={
                "present": clipped_spans(seat.present, part.from_s, part.until_s),
                "muted": clipped_spans(seat.muted, part.from_s, part.until_s),
                "segments": segments_within(seat.segments, part.from_s, part.until_s),
            }
        )
        for seat in seats(prepared.timeline)
    )
    params = layout.Params(
        canvas=canvas,
        duration_s=part.until_s,
        seats=tuple(seat for seat in shown if seat.present),
        layout=name,
        from_s=part.from_s,
        until_s=None if part.is_last else part.until_s,
    )
    title = f"Layout and encode from {_clock(part.from_s)} on"
    result, file = f"{PICTURE}:{part.number}", f"picture-{part.number}.mp4"
    step = picture_step(prepared, params, f"layout:{part.number}", title, result, file)
    return step.model_copy(update={"group": "layout", "group_title": LAYOUT_TITLE})


def _voices_step(cut: list[Part], heard: Heard, part: Part) -> StepSpec:
    """Who has the floor up to the end of ``part``."""
    people = dict.fromkeys(person for each in heard[: len(cut)] for person in each)
    file = f"voices-{part.number}.json"
    return _floor_step(
        f"{VOICES}:{part.number}", f"{VOICES_TITLE} until {_clock(part.until_s)}", file, cut, list(people)
    )


def _all_voices_step(cut: list[Part], people: list[Person]) -> StepSpec:
    return _floor_step(VOICES, VOICES_TITLE, "voices.json", cut, [person.id for person in people])


def _floor_step(result: str, title: str, file: str, cut: list[Part], people: list[str]) -> StepSpec:
    params = voices.LevelsParams(people=tuple(people), edges_s=_edges_s(cut))
    return StepSpec(
        name=result,
        title=title,
        function=function_of(voices, "run_levels"),
        version=voices.VERSION,
        params=params.model_dump(mode="json"),
        inputs={sound.levels_role(index): f"{_LEVELS}:{part.number}" for index, part in enumerate(cut)},
        outputs={voices.ROLE: Output(result=result, file=file)},
        group=_VOICES,
        group_title=VOICES_TITLE,
    )


def _mix_step(inputs: dict[str, str], edges_s: tuple[float, ...], result: str, title: str) -> StepSpec:
    return StepSpec(
        name=result,
        title=title,
        function=function_of(mix),
        version=mix.VERSION,
        params=mix.Params(edges_s=edges_s).model_dump(mode="json"),
        inputs=inputs,
        outputs={mix.ROLE: Output(result=result, file=f"{result}.flac")},
    )


def _gather_step(
    person: Person, number: int, kind: str, pieces: str, cut: list[Part], heard: Heard, edges_s: tuple[float, ...]
) -> StepSpec:
    """The whole sound of a person. ``number`` keeps apart ids that look alike on a file system."""
    denoised = kind == "audio-denoised"
    own = [{each: segments for each, segments in part.items() if each == person.id} for part in heard]
    params = gather.Params(person=person.id, edges_s=edges_s)
    return StepSpec(
        name=f"denoise:{person.id}" if denoised else f"audio:{person.id}",
        title=f"Denoise {person.name}" if denoised else f"Sound of {person.name}",
        function=function_of(gather),
        version=gather.VERSION,
        params=params.model_dump(mode="json"),
        inputs=_pieces(pieces, cut, own),
        outputs={gather.ROLE: Output(result=f"{kind}:{person.id}", file=file_name(kind, person, number))},
    )


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(round(time_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
