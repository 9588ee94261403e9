"""The graph of a job: which steps a recording needs, built from what the first step found and what was asked for."""

from typing import Any

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.graph_parts import PIECE, PIECE_DENOISED, part_steps, steps_in_parts
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.recipes import (
    PERSON_PICTURE,
    PICTURE,
    SPEECH,
    VOICES,
    audio_step,
    best_moment_s,
    denoise_step,
    heard_people,
    join_steps,
    layout_name,
    layout_step,
    mix_step,
    needs_voices,
    per_person_steps,
    thumbnail_step,
    track_steps,
    transcribe_step,
    transcript_step,
    voices_step,
)
from vmeet_core.pipeline.spec import Output, PluginsUsed, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import prepare
from vmeet_core.pipeline.steps.sound import LEVELS
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry, UnknownProvider, allowed, server_settings_of
from vmeet_core.settings import Kind, Settings, SettingsError, validated

PREPARED = "prepared"
#: results that only other steps read, before any ":"
HIDDEN = (PREPARED, PICTURE, PERSON_PICTURE, VOICES, PIECE, PIECE_DENOISED, LEVELS, SPEECH)
PREPARE = "prepare"  #: the name of the first step
PREPARED_FILE = "prepared.json"


def prepare_recording(ahead: bool = False) -> StepSpec:
    """The first step of a job on a recording; ``ahead``: it still runs, and what is over of it can be worked on."""
    return _prepare("run_recording", "Read the recording", prepare.RecordingParams(ahead=ahead).model_dump())


def prepare_file(media: str, name: str = "") -> StepSpec:
    """The first step of a job on any media file, given by its absolute path or by the one in the recording's folder.

    ``name`` is what the file is called; without it, it is called as the file is.
    """
    return _prepare("run_file", "Read the file", prepare.FileParams(media=media, name=name).model_dump())


def check_request(request: ProcessRequest, settings: Settings, registry: Registry) -> None:
    """Raises Permanent for a plugin that is unknown, not allowed, or given wrong options, and for denoised sound that
    is to be transcribed without a denoiser.
    """
    _plugins_used(request, settings, registry)


def build_graph(prepared: Prepared, request: ProcessRequest, settings: Settings, registry: Registry) -> list[StepSpec]:
    """All further steps, each after those that it reads from. Raises Permanent as ``check_request``."""
    plugins = _plugins_used(request, settings, registry)
    if prepared.ready_s is not None:
        return part_steps(prepared, request, settings, plugins)
    steps = (steps_in_parts if prepared.borders else _steps)(prepared, request, settings, plugins)
    if request.files == "per-person":
        steps += per_person_steps(prepared, bool(plugins.denoiser), bool(plugins.transcriber))
    return steps


def _steps(prepared: Prepared, request: ProcessRequest, settings: Settings, plugins: PluginsUsed) -> list[StepSpec]:
    """Of a recording that is too short for parts, or cannot be cut."""
    plugin, transcriber = plugins
    heard = heard_people(prepared.timeline)
    sounds = [audio_step(prepared, person, number) for number, person in enumerate(heard, start=1)]
    if prepared.is_meeting and heard:
        sounds.append(voices_step(heard))
    name = layout_name(prepared, request, settings)
    pictures = [layout_step(prepared, prepared.canvas, name)] if prepared.canvas else []
    steps = [*sounds, *pictures] if needs_voices(prepared.timeline, name) else [*pictures, *sounds]
    if heard:
        steps.append(mix_step(heard, "audio", "mix", "Mix"))
    if heard and plugin:
        steps += [denoise_step(person, number, plugin) for number, person in enumerate(heard, start=1)]
        steps.append(mix_step(heard, "audio-denoised", "mix-denoised", "Mix of the denoised sound"))
    results = [PICTURE] if prepared.canvas else []
    steps += join_steps(prepared, results, bool(heard), bool(heard and plugin), request.title)
    if prepared.canvas:
        steps.append(thumbnail_step(PICTURE, best_moment_s(prepared.timeline)))
    if heard and transcriber:
        steps.append(transcribe_step(prepared, heard, request, transcriber))
        steps.append(transcript_step(prepared, heard, request, [SPEECH]))
    return steps + track_steps(prepared, heard, bool(transcriber))


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


def _plugins_used(request: ProcessRequest, settings: Settings, registry: Registry) -> PluginsUsed:
    if request.transcriber and request.transcribe_from == "denoised" and not request.denoiser:
        raise Permanent(
            "without a denoiser there is no denoised sound to transcribe: choose one, or the original sound"
        )
    return PluginsUsed(
        denoiser=_plugin_use("denoisers", request.denoiser, request, settings, registry),
        transcriber=_plugin_use("transcribers", request.transcriber, request, settings, registry),
    )


def _plugin_use(
    kind: Kind, name: str | None, request: ProcessRequest, settings: Settings, registry: Registry
) -> PluginUse | None:
    if name is None:
        return None
    try:
        provider = registry.get(kind, name)
        options = validated(provider.options, request.options.get(name, {}), f"options.{name}")
        server_settings = server_settings_of(settings, kind, provider)
    except (UnknownProvider, SettingsError) as error:
        raise Permanent(str(error)) from None
    refused = allowed(settings, provider)
    if refused:
        raise Permanent(refused)
    return PluginUse(
        kind=kind,
        name=provider.name,
        version=provider.version_for(server_settings),
        weights={weight.name: weight.sha256 for weight in provider.weights_for(server_settings)},
        options=options.model_dump(mode="json"),
    )
