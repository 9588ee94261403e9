"""Tests of the steps of parts: what is asked of them, and that together they make what one pass makes."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from material import RATE_HZ, RecordingMaker, tone

from vmeet_core.media.audio import read_all
from vmeet_core.media.transcript import Transcript, read_transcript
from vmeet_core.pipeline.graph import build_graph, is_hidden
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import StepSpec, Work, keyed
from vmeet_core.pipeline.steps import prepare
from vmeet_core.pipeline.steps.denoise import LAG_S, RUN_IN_S
from vmeet_core.pipeline.steps.voices import read_voices
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.settings import Settings

MakeWork = Callable[..., Work]
DURATION_S, BORDERS = 37.4, (12.0, 24.0)
LEAST_PSNR_DB = 40.0


def speech(t: Any) -> Any:
    """Noisy syllables for three of every six seconds."""
    random = np.random.default_rng(int(t[0] * 1000))
    return np.where((t % 6 < 3) & (t % 0.3 < 0.2), 0.1, 0.001) * random.normal(0, 1, len(t))


@pytest.fixture
def folder(recording: RecordingMaker) -> Path:
    """Ann is there from the start, speaks and turns her camera off for a while; Bob comes late and shares a screen."""
    recording.join("ann")
    recording.join("bob", 13.0)
    recording.sound("ann", 0.2, 30.0, speech)
    recording.sound("ann", 33.0, 4.0, tone())
    recording.sound("bob", 13.2, 10.0, lambda t: speech(t + 3))
    recording.pictures("ann", 0.3, 10.0, lambda t: 60 + int(t * 3))
    recording.mute("ann", "camera", 10.3)
    recording.mute("ann", "camera", 20.0, muted=False)
    recording.pictures("ann", 20.1, 17.0, lambda t: 200 - int(t * 3))
    recording.pictures("bob", 22.0, 8.0, source="screen")
    recording.leave("bob", 30.0)
    return recording.write(DURATION_S)


@pytest.fixture
def whole(folder: Path, make_work: MakeWork, tmp_path: Path) -> Prepared:
    path = tmp_path / "prepared.json"
    prepare.run_recording(make_work(folder, None, {}, {prepare.ROLE: path}))
    prepared = Prepared.model_validate_json(path.read_bytes())
    assert prepared.borders == ()
    return prepared.model_copy(update={"canvas": CanvasFormat(width=320, height=180, fps="10")})


def made(folder: Path, target: Path, steps: list[StepSpec], make_work: MakeWork, settings: Settings) -> dict[str, Path]:
    """Every result, made one after the other in this process."""
    target.mkdir()
    results: dict[str, Path] = {}
    for step in steps:
        outputs = {role: target / output.file for role, output in step.outputs.items()}
        work = make_work(folder, None, {role: results[name] for role, name in step.inputs.items()}, outputs)
        module, _, function = step.function.partition(":")
        work = Work(**(vars(work) | {"params": step.params}))
        getattr(importlib.import_module(module), function)(work)
        results |= {output.result: target / output.file for output in step.outputs.values()}
    return results


def covered(transcript: Transcript) -> dict[str, float]:
    """How long each person is written down for."""
    spoken = dict.fromkeys(transcript.people, 0.0)
    for utterance in transcript.utterances:
        spoken[utterance.person] += utterance.end_s - utterance.start_s
    return spoken


def pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray()[::2, ::2].astype(np.float32) for frame in container.decode(container.streams.video[0])
        ]


def psnr_db(before: Any, after: Any) -> float:
    error = float(np.mean((before - after) ** 2))
    return 99.0 if not error else 10 * float(np.log10(255**2 / error))


@pytest.mark.parametrize("layout", ["grid", "speaker"])
@pytest.mark.parametrize("is_cut", [False, True])
def test_the_parts_make_what_one_pass_makes(
    folder: Path,
    whole: Prepared,
    tmp_path: Path,
    make_work: MakeWork,
    settings: Settings,
    registry: Registry,
    layout: Any,
    is_cut: bool,
) -> None:
    request = ProcessRequest(layout=layout, denoiser="half", transcriber="tones")
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": is_cut})
    graphs = [build_graph(prepared, request, settings, registry) for prepared in (whole, parted)]
    one, many = (
        made(folder, tmp_path / str(number), graph, make_work, settings) for number, graph in enumerate(graphs)
    )
    shown = {name for name in one if not is_hidden(name)}
    assert {name for name in many if not is_hidden(name)} == shown
    for name in ("audio:ann", "audio:bob", "mix"):
        assert np.array_equal(read_all(one[name], RATE_HZ), read_all(many[name], RATE_HZ)), name
    for name in ("audio-denoised:ann", "audio-denoised:bob", "mix-denoised"):
        before, after = read_all(one[name], RATE_HZ), read_all(many[name], RATE_HZ)
        assert len(before) == len(after) == round(DURATION_S * RATE_HZ)
        assert np.abs(before - after).max() < 1e-4, name
    assert read_voices(one["voices"]) == read_voices(many["voices"])
    for name in ("captions", "chapters"):
        assert one[name].read_bytes() == many[name].read_bytes()
    before, after = (read_transcript(results["transcript"]) for results in (one, many))
    assert before.people == after.people == {"ann": "Ann", "bob": "Bob"}
    assert covered(before) == pytest.approx(covered(after), abs=0.2)
    before, after = pictures(one["video"]), pictures(many["video"])
    assert len(before) == len(after) >= 374
    worst_db = min(psnr_db(each, other) for each, other in zip(before, after, strict=True))
    assert worst_db > LEAST_PSNR_DB  # the same pictures; the encoder looks ahead, and cannot beyond a part


@pytest.mark.parametrize("source", ["original", "denoised"])
def test_what_is_over_is_asked_for_in_the_same_words_later(
    whole: Prepared, settings: Settings, registry: Registry, source: Any
) -> None:
    """Of a running recording, with less known of what comes after: the same keys, so that nothing is done twice."""
    request = ProcessRequest(denoiser="half", layout="speaker", transcriber="tones", transcribe_from=source)
    final = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    timeline = whole.timeline
    early = final.model_copy(
        update={"ready_s": 24.0, "timeline": timeline.model_copy(update={"duration_s": 25.0, "complete": False})}
    )
    later = {key for _, key in keyed(build_graph(final, request, settings, registry), {})}
    ahead = keyed(build_graph(early, request, settings, registry), {})
    assert {step.name for step, _ in ahead} == {
        *("sound:0", "sound:1", "denoise-part:0", "denoise-part:1", "voices:0", "layout:0"),
        *("transcribe:0", "transcribe:1"),
    }
    assert {key for _, key in ahead} <= later
    for is_cut in (True, False):
        nothing = early.model_copy(update={"ready_s": 0.0, "is_cut": is_cut})
        assert build_graph(nothing, request, settings, registry) == []


def test_parts_are_shown_together(whole: Prepared, settings: Settings, registry: Registry) -> None:
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    steps = build_graph(parted, ProcessRequest(denoiser="half"), settings, registry)
    groups = {step.group: step.group_title for step in steps if step.group}
    assert set(groups) == {"sound-parts", "denoise-parts", "layout", "voices"}
    assert all(groups.values())
    assert [step.name for step in steps if step.group == "layout"] == ["layout:0", "layout:1", "layout:2"]
    files = [output.file for step in steps for output in step.outputs.values()]
    assert len(set(files)) == len(files)


def test_another_denoiser_leaves_the_rest_as_it_is(whole: Prepared, settings: Settings, registry: Registry) -> None:
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    plain, denoised = (
        {step.name: key for step, key in keyed(build_graph(parted, request, settings, registry), {})}
        for request in (ProcessRequest(), ProcessRequest(denoiser="half"))
    )
    assert {name for name in plain if plain[name] != denoised[name]} == {"join:video"}


def test_another_transcriber_leaves_the_rest_as_it_is(whole: Prepared, settings: Settings, registry: Registry) -> None:
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    plain, written, denoised = (
        {step.name: key for step, key in keyed(build_graph(parted, request, settings, registry), {})}
        for request in (
            ProcessRequest(denoiser="half"),
            ProcessRequest(denoiser="half", transcriber="tones"),
            ProcessRequest(denoiser="half", transcriber="tones", transcribe_from="denoised"),
        )
    )
    new = {"transcribe:0", "transcribe:1", "transcribe:2", "transcript"}
    assert written.keys() - plain.keys() == new
    assert {name for name in plain if plain[name] != written[name]} == {"captions"}
    assert {name for name in written if written[name] != denoised[name]} == new | {"captions"}


def test_each_part_of_what_is_said_is_read_with_the_one_before(
    whole: Prepared, settings: Settings, registry: Registry
) -> None:
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    for source, kind, lag_s in (("original", "piece", 0.0), ("denoised", "piece-denoised", LAG_S)):
        request = ProcessRequest(denoiser="half", transcriber="tones", transcribe_from=source)
        steps = build_graph(parted, request, settings, registry)
        first, _, third = (step for step in steps if step.group == "transcribe")
        assert first.inputs == {"now:ann": f"{kind}:0:ann"}
        assert (first.params["from_s"], first.params["before_s"], first.params["duration_s"]) == (0, 0, 12.0 - lag_s)
        assert third.params["from_s"] == 12.0 - lag_s
        assert (third.params["before_s"], third.params["is_last"]) == (12.0, True)
        assert third.params["from_s"] + third.params["before_s"] + third.params["duration_s"] == pytest.approx(
            DURATION_S
        )
        assert set(third.params["people"]) == {"ann", "bob"}
        assert first.params["hot_words"] == ["Ann"]  # bob has not come yet
        assert third.params["hot_words"] == ["Ann", "Bob"]


def test_the_sound_that_a_denoiser_is_given_overlaps(whole: Prepared, settings: Settings, registry: Registry) -> None:
    """More than a model with a memory needs, measured with DTLN; and more than any of ours looks ahead."""
    assert RUN_IN_S >= 5
    assert LAG_S >= 1
    parted = whole.model_copy(update={"borders": BORDERS, "is_cut": True})
    steps = build_graph(parted, ProcessRequest(denoiser="half"), settings, registry)
    second = next(step for step in steps if step.name == "denoise-part:1")
    assert second.inputs == {
        "now:ann": "piece:1:ann",
        "now:bob": "piece:1:bob",
        "before:ann": "piece:0:ann",
    }
    assert (second.params["before_s"], second.params["duration_s"]) == (12.0, 12.0)
