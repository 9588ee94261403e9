"""What each step of a graph needs of the machine, and which steps playing the recording has to wait for."""

from collections.abc import Collection
from typing import cast

from vmeet_core.pipeline.messages import NICENESS
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs, PluginUse, StepSpec, function_of
from vmeet_core.pipeline.steps import join, layout
from vmeet_core.plugins import Registry, server_settings_of
from vmeet_core.settings import Kind, Settings

PLAYED = ("video", "sound", "audio-denoised", "transcript")  #: what people wait for, before any ":"
MIB = 1 << 20
STEP_BYTES = 768 * MIB  # a step works piece by piece; measured: 60 to 100 MiB
PICTURE_BYTES, SEAT_BYTES = 1024 * MIB, 64 * MIB  # encoder, and a decoder each; measured for four: 184 MiB
PIXEL_BYTES = 64  # the encoder looks ahead; measured at 3840x2160: 54 bytes for each pixel of the picture
_LESS_URGENT = 4  # steps of niceness: less than half of the processor time
PLUGIN_BYTES, WEIGHT_COPIES = 1024 * MIB, 4  # models are read, unpacked and optimised


def planned(specs: list[StepSpec], settings: Settings, registry: Registry, limits: Limits) -> list[StepSpec]:
    """The same steps, with ``needs`` and ``extra``."""
    played = _leading_to(PLAYED, specs)
    return [
        spec.model_copy(
            update={
                "needs": _needs(spec, settings, registry, limits),
                "extra": bool(played) and spec.name not in played,
            }
        )
        for spec in specs
    ]


def niceness(spec: StepSpec) -> int:
    """Of steps that run at the same time, sound and speech come before pictures, and extras last."""
    if spec.extra:
        return NICENESS + 2 * _LESS_URGENT
    return NICENESS + _LESS_URGENT * (spec.function in (function_of(layout), function_of(join)))


def _leading_to(kinds: Collection[str], specs: list[StepSpec]) -> set[str]:
    """The names of the steps without which results of these kinds cannot be."""
    wanted: set[str] = set()
    found: set[str] = set()
    for spec in reversed(specs):  # a step comes after those that it reads from
        made = {output.result for output in spec.outputs.values()}
        if made & wanted or any(result.partition(":")[0] in kinds for result in made):
            found.add(spec.name)
            wanted |= set(spec.inputs.values())
    return found


def _needs(spec: StepSpec, settings: Settings, registry: Registry, limits: Limits) -> Needs:
    if spec.plugin is not None:
        return _plugin_needs(spec.plugin, settings, registry)
    if spec.function == function_of(layout):
        canvas, seats = spec.params["canvas"], len(spec.params["seats"])
        pixels = canvas["width"] * canvas["height"]
        return Needs(cpu=limits.share, memory_bytes=PICTURE_BYTES + PIXEL_BYTES * pixels + SEAT_BYTES * seats)
    return Needs(memory_bytes=STEP_BYTES)


def _plugin_needs(plugin: PluginUse, settings: Settings, registry: Registry) -> Needs:
    """Its ``threads`` are a server setting, as far as it has that."""
    kind = cast(Kind, plugin.kind)
    provider = registry.get(kind, plugin.name)
    server_settings = server_settings_of(settings, kind, provider)
    threads = getattr(server_settings, "threads", 1)
    weights = provider.weights_for(server_settings)
    reckoned = PLUGIN_BYTES + WEIGHT_COPIES * sum(weight.size_bytes for weight in weights)
    return Needs(
        cpu=threads if isinstance(threads, int) and threads > 0 else 1,
        gpu=1 if settings.pipeline.device == "cuda" else 0,
        memory_bytes=settings.pipeline.plugin_memory_bytes or reckoned,
    )
