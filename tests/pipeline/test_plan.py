"""Tests of what steps need and which of them people wait for."""

from typing import Any

import pytest

from vmeet_core.pipeline.graph import build_graph
from vmeet_core.pipeline.messages import NICENESS
from vmeet_core.pipeline.plan import PIXEL_BYTES, PLUGIN_BYTES, SEAT_BYTES, niceness, planned
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import StepSpec, keyed
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline, Track


def person(name: str, *sources: Any) -> Person:
    tracks = []
    for source in sources:
        file = f"segments/{name}-{source}"
        segment = SegmentSpan(file=file, codec="x", clock_hz=1, start_s=0, trim_s=0, duration_s=10)
        tracks.append(Track(source=source, segments=(segment,)))
    return Person(id=name, name=name, present=(Span(start_s=0, end_s=10),), tracks=tuple(tracks))


PEOPLE = (person("ann", "microphone", "camera"), person("bob", "microphone"))
FILES = ("segments/ann-microphone", "segments/ann-camera", "segments/bob-microphone")
MEETING = Prepared(
    timeline=Timeline(recording_id="r", title="Standup", duration_s=10, complete=True, people=PEOPLE),
    canvas=CanvasFormat(),
    digests=dict.fromkeys(FILES, "1:aa"),
)


def with_pipeline(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update=changes)})


def plan(
    settings: Settings,
    registry: Registry,
    denoiser: str | None = "half",
    prepared: Prepared = MEETING,
    **request: Any,
) -> dict[str, StepSpec]:
    steps = build_graph(prepared, ProcessRequest(denoiser=denoiser, **request), settings, registry)
    return {step.name: step for step in planned(steps, settings, registry, Limits.of(settings.pipeline))}


def extras(steps: dict[str, StepSpec]) -> set[str]:
    return {name for name, step in steps.items() if step.extra}


def test_people_wait_for_what_the_video_is_made_of(settings: Settings, registry: Registry) -> None:
    steps = plan(settings, registry)
    texts = {"voices", "captions", "chapters"}
    assert extras(steps) == {"mix", "join:video-original", "thumbnail"} | texts
    assert extras(plan(settings, registry, None)) == {"thumbnail"} | texts


def test_nobody_waits_for_files_of_each_person_but_the_speakers_layout_waits_for_the_voices(
    settings: Settings, registry: Registry
) -> None:
    meeting = plan(settings, registry, layout="speaker")
    assert extras(meeting) == {"mix", "join:video-original", "thumbnail", "captions", "chapters"}
    both = plan(settings, registry, layout="speaker", files="per-person")
    each = {"person-picture:ann", "person-video:ann", "person-audio:ann", "person-audio:bob", "phrases"}
    assert extras(both) == extras(meeting) | each


def test_sound_and_speech_come_before_pictures_and_extras_last(settings: Settings, registry: Registry) -> None:
    steps = plan(settings, registry, transcriber="tones")
    order = ("denoise:ann", "mix-denoised", "transcribe", "transcript"), ("layout", "join:video"), ("mix", "chapters")
    values = [{niceness(steps[name]) for name in names} for names in order]
    assert values == [{NICENESS}, {NICENESS + 4}, {NICENESS + 8}]


def test_a_larger_picture_and_more_people_need_more_memory(settings: Settings, registry: Registry) -> None:
    large = MEETING.model_copy(update={"canvas": CanvasFormat(width=3840, height=2160)})
    small, large_ = (plan(settings, registry, prepared=each, files="per-person") for each in (MEETING, large))
    more = large_["layout"].needs.memory_bytes - small["layout"].needs.memory_bytes
    assert more == PIXEL_BYTES * (3840 * 2160 - 1280 * 720)
    alone = small["person-picture:ann"].needs
    assert (alone.memory_bytes, alone.cpu) == (
        small["layout"].needs.memory_bytes - SEAT_BYTES,
        small["layout"].needs.cpu,
    )


def test_a_plugin_takes_a_gpu_where_models_run_on_one(settings: Settings, registry: Registry) -> None:
    assert {step.needs.gpu for step in plan(settings, registry).values()} == {0}
    steps = plan(with_pipeline(settings, device="cuda"), registry)
    assert {name for name, step in steps.items() if step.needs.gpu} == {"denoise:ann", "denoise:bob"}


def test_memory_of_a_plugin_follows_its_models_or_the_settings(settings: Settings) -> None:
    registry = discover()
    size_bytes = sum(weight.size_bytes for weight in registry.get("denoisers", "dtln").weights)
    assert size_bytes > 1_000_000
    reckoned = plan(settings, registry, "dtln")["denoise:ann"].needs.memory_bytes
    assert reckoned == PLUGIN_BYTES + 4 * size_bytes
    set_ = plan(with_pipeline(settings, plugin_memory_bytes=123), registry, "dtln")["denoise:ann"].needs.memory_bytes
    assert set_ == 123


def test_threads_of_a_plugin_are_a_setting_of_the_server(settings: Settings) -> None:
    registry = discover()
    given = settings.model_copy(update={"plugins": {"denoisers": {"dtln": {"threads": 3}}}})
    assert plan(given, registry, "dtln")["denoise:ann"].needs.cpu == 3


@pytest.mark.parametrize(("cpu", "workers", "threads"), [(8, 2, 4), (2, 4, 1), (6, 1, 6)])
def test_the_encoder_gets_a_workers_share(
    settings: Settings, registry: Registry, cpu: int, workers: int, threads: int
) -> None:
    steps = plan(with_pipeline(settings, cpu=cpu, workers=workers), registry)
    assert (steps["layout"].needs.cpu, steps["mix"].needs.cpu) == (threads, 1)


def test_no_step_is_without_a_bound_and_no_key_depends_on_it(settings: Settings, registry: Registry) -> None:
    steps = list(plan(settings, registry).values())
    assert all(step.needs.memory_bytes for step in steps)
    other = list(plan(with_pipeline(settings, cpu=7, workers=1, plugin_memory_bytes=9), registry).values())
    known = {"prepared": "k"}
    assert [key for _, key in keyed(steps, known)] == [key for _, key in keyed(other, known)]
