"""Tests of the graph of steps."""

from typing import Any

import pytest

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline.graph import build_graph, check_request, is_hidden
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import StepSpec, keyed
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.settings import Settings
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline, Track


def track(person: str, source: Any) -> Track:
    segment = SegmentSpan(file=f"segments/{person}-{source}", codec="x", clock_hz=1, start_s=0, trim_s=0, duration_s=10)
    return Track(source=source, segments=(segment,))


def prepared(canvas: bool = True, is_meeting: bool = True, **people: tuple[Any, ...]) -> Prepared:
    persons = tuple(
        Person(
            id=person,
            name=person.title(),
            present=(Span(start_s=0, end_s=10),),
            tracks=tuple(track(person, source) for source in sources),
        )
        for person, sources in people.items()
    )
    files = [segment.file for person in persons for track in person.tracks for segment in track.segments]
    timeline = Timeline(recording_id="r", title="Standup", duration_s=10, complete=True, people=persons)
    digests = dict.fromkeys(files, "1:aa")
    return Prepared(
        timeline=timeline, canvas=CanvasFormat() if canvas else None, digests=digests, is_meeting=is_meeting
    )


@pytest.fixture
def build(settings: Settings, registry: Registry) -> Any:
    def build(given: Prepared, **request: Any) -> list[StepSpec]:
        return build_graph(given, ProcessRequest(**request), settings, registry)

    return build


def results(steps: list[StepSpec]) -> dict[str, str]:
    return {output.result: output.file for step in steps for output in step.outputs.values()}


def test_with_a_denoiser_both_sounds_are_kept(build: Any) -> None:
    steps = build(prepared(ann=("microphone", "camera"), bob=("microphone",)), denoiser="half")
    assert results(steps) == {
        "picture": "picture.mp4",
        "audio:ann": "audio-1-ann.flac",
        "audio:bob": "audio-2-bob.flac",
        "audio-denoised:ann": "audio-denoised-1-ann.flac",
        "audio-denoised:bob": "audio-denoised-2-bob.flac",
        "mix": "mix.flac",
        "mix-denoised": "mix-denoised.flac",
        "video": "meeting.mp4",
        "video-original": "meeting-original.mp4",
        "thumbnail": "thumbnail.jpg",
        "voices": "voices.json",
        "captions": "captions.vtt",
        "chapters": "chapters.vtt",
    }
    joins = {step.name: step.inputs for step in steps if step.name.startswith("join")}
    assert joins["join:video"] == {"picture": "picture", "sound": "mix-denoised"}
    assert joins["join:video-original"] == {"picture": "picture", "sound": "mix"}


@pytest.mark.parametrize(("source", "read"), [("original", "audio"), ("denoised", "audio-denoised")])
def test_what_is_said_is_written_down(build: Any, source: str, read: str) -> None:
    given = prepared(ann=("microphone", "camera"), bob=("microphone",), cleo=("camera",))
    steps = build(
        given, denoiser="half", transcriber="tones", transcribe_from=source, script="simplified", language="zh"
    )
    transcribe, transcript = (step for step in steps if step.name in ("transcribe", "transcript"))
    assert transcribe.inputs == {"now:ann": f"{read}:ann", "now:bob": f"{read}:bob"}
    assert (transcribe.params["language"], transcribe.params["hot_words"]) == ("zh", ["Ann", "Bob", "Cleo"])
    assert transcribe.plugin
    assert transcribe.plugin.kind == "transcribers"
    assert transcript.params["names"] == {"ann": "Ann", "bob": "Bob"}
    assert (transcript.params["script"], transcript.params["transcriber"]) == ("simplified", "tones")
    files = {name: file for name, file in results(steps).items() if name.startswith("transcript")}
    assert files == {"transcript": "transcript.json"} | {
        f"transcript-{ending}": f"transcript.{ending}" for ending in ("txt", "srt", "vtt", "md", "docx")
    }
    assert next(step for step in steps if step.name == "captions").inputs == {"transcript": "transcript"}


def test_without_sound_there_is_nothing_to_write_down(build: Any) -> None:
    assert "transcript" not in results(build(prepared(ann=("camera",)), transcriber="tones"))


def test_a_files_one_speaker_has_no_name(build: Any) -> None:
    steps = build(prepared(is_meeting=False, film=("microphone",)), transcriber="tones")
    transcribe, transcript = (step for step in steps if step.name in ("transcribe", "transcript"))
    assert transcribe.params["hot_words"] == []
    assert transcript.params["names"] == {"film": ""}
    assert results(steps)["captions"] == "captions.vtt"


def test_the_script_is_no_reason_to_listen_again(build: Any) -> None:
    given = prepared(ann=("microphone",))
    one, other = (
        {step.name: key for step, key in keyed(build(given, transcriber="tones", script=script), {})}
        for script in ("simplified", "as-spoken")
    )
    assert {name for name in one if one[name] != other[name]} == {"transcript", "captions"}


def test_every_step_comes_after_what_it_reads(build: Any) -> None:
    there: set[str] = set()
    for step in build(prepared(ann=("microphone", "camera"), bob=("microphone", "screen")), denoiser="half"):
        assert set(step.inputs.values()) <= there
        there |= {output.result for output in step.outputs.values()}


def test_without_a_denoiser_there_is_one_video(build: Any) -> None:
    made = results(build(prepared(ann=("microphone", "camera"))))
    assert "video-original" not in made
    assert "mix-denoised" not in made


@pytest.mark.parametrize("denoiser", [None, "half"])
def test_a_recording_without_sound_has_a_silent_video(build: Any, denoiser: str | None) -> None:
    steps = build(prepared(ann=("camera",)), denoiser=denoiser)
    assert set(results(steps)) == {"picture", "video", "thumbnail", "chapters"}
    assert next(step for step in steps if step.name == "join:video").inputs == {"picture": "picture"}


def test_a_file_without_a_picture_becomes_a_sound_file(build: Any) -> None:
    made = results(build(prepared(canvas=False, ann=("microphone",)), denoiser="half"))
    assert (made["sound"], made["sound-original"]) == ("meeting.m4a", "meeting-original.m4a")
    assert "thumbnail" not in made


def test_ids_cannot_leave_the_folder_or_clash(build: Any) -> None:
    made = results(build(prepared(**{"../x": ("microphone",), "a/b": ("microphone",), "a?b": ("microphone",)})))
    files = list(made.values())
    assert len(set(files)) == len(files)
    assert not any("/" in file or ".." in file for file in files)


def test_the_small_camera_stands_in_where_there_is_no_other(build: Any) -> None:
    steps = build(prepared(ann=("camera-small",), bob=("camera", "camera-small"), cat=("screen", "camera")))
    (layout,) = (step for step in steps if step.name == "layout")
    files = [[segment["file"] for segment in seat["segments"]] for seat in layout.params["seats"]]
    assert files == [
        ["segments/cat-screen"],
        ["segments/ann-camera-small"],
        ["segments/bob-camera"],
        ["segments/cat-camera"],
    ]
    assert set(layout.files) == {file for seat in files for file in seat}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ProcessRequest(denoiser="hlaf"), 'Did you mean "half"'),
        (ProcessRequest(denoiser="half", options={"half": {"gian": 1}}), "gian"),
        (ProcessRequest(denoiser="half", options={"half": {"gain": "loud"}}), "gain"),
        (ProcessRequest(transcriber="tone"), 'Did you mean "tones"'),
        (ProcessRequest(transcriber="tones", options={"tones": {"tarce": ""}}), "tarce"),
        (ProcessRequest(transcriber="tones", transcribe_from="denoised"), "without a denoiser"),
    ],
)
def test_what_cannot_be_done_is_refused(
    settings: Settings, registry: Registry, request_: ProcessRequest, message: str
) -> None:
    with pytest.raises(Permanent, match=message):
        check_request(request_, settings, registry)


def step(steps: list[StepSpec], name: str) -> StepSpec:
    return next(each for each in steps if each.name == name)


def test_a_file_has_no_captions_and_one_layout(build: Any, settings: Settings) -> None:
    file = prepared(is_meeting=False, ann=("microphone", "camera"))
    steps = build(file, layout="speaker")
    assert set(results(steps)) == {"picture", "audio:ann", "mix", "video", "thumbnail"}
    assert step(steps, "layout") == step(build(file), "layout")


def test_the_layout_is_the_requests_or_else_the_settings(settings: Settings, registry: Registry, build: Any) -> None:
    given = prepared(ann=("microphone", "camera"), bob=("camera",))
    assert step(build(given), "layout").params["layout"] == "grid"
    assert step(build(given, layout="speaker"), "layout").params["layout"] == "speaker"
    otherwise = settings.model_copy(update={"video": settings.video.model_copy(update={"layout": "speaker"})})
    steps = build_graph(given, ProcessRequest(), otherwise, registry)
    assert step(steps, "layout").params["layout"] == "speaker"
    again = build_graph(given, ProcessRequest(layout="grid"), otherwise, registry)
    assert step(again, "layout") == step(build(given), "layout")


def test_only_the_speakers_layout_waits_for_the_sound(build: Any) -> None:
    given = prepared(ann=("microphone", "camera"))
    grid, speaker = build(given), build(given, layout="speaker")
    assert grid[0].name == "layout"
    assert step(grid, "layout").inputs == {}
    assert step(speaker, "layout").inputs == {"voices": "voices"}
    assert step(build(prepared(ann=("camera",)), layout="speaker"), "layout").inputs == {}


def test_a_denoiser_changes_neither_who_speaks_nor_the_captions(build: Any) -> None:
    given = prepared(ann=("microphone", "camera"))
    plain = {spec.name: key for spec, key in keyed(build(given, layout="speaker"), {})}
    denoised = {spec.name: key for spec, key in keyed(build(given, layout="speaker", denoiser="half"), {})}
    assert {name for name in plain if plain[name] != denoised.get(name)} == {"join:video"}


def test_files_of_each_person_are_made_when_they_are_asked_for(build: Any) -> None:
    given = prepared(ann=("microphone", "camera"), bob=("microphone",), cat=("camera-small",))
    plain, more = build(given), build(given, files="per-person")
    assert more[: len(plain)] == plain
    assert results(more[len(plain) :]) == {
        "person-audio:ann": "person-1-ann.m4a",
        "person-picture:ann": "picture-1-ann.mp4",
        "person-video:ann": "person-1-ann.mp4",
        "person-audio:bob": "person-2-bob.m4a",
        "person-picture:cat": "picture-3-cat.mp4",
        "person-video:cat": "person-3-cat.mp4",
        "phrases": "phrases.zip",
    }
    assert step(more, "person-video:ann").inputs == {"picture": "person-picture:ann", "sound": "audio:ann"}
    assert step(more, "person-video:cat").inputs == {"picture": "person-picture:cat"}
    cleaned = build(given, files="per-person", denoiser="half")
    assert step(cleaned, "person-audio:bob").inputs == {"sound": "audio-denoised:bob"}
    assert step(more, "phrases").inputs == {"sound:ann": "audio:ann", "sound:bob": "audio:bob"}
    assert step(cleaned, "phrases").inputs == {"sound:ann": "audio-denoised:ann", "sound:bob": "audio-denoised:bob"}
    assert "phrases" not in results(build(prepared(cat=("camera",)), files="per-person"))
    (seat,) = step(more, "person-picture:ann").params["seats"]
    assert seat["present"][0]["start_s"] == 0
    assert seat["present"][0]["end_s"] > 10


def test_what_only_steps_read_is_hidden() -> None:
    assert [
        name for name in ("video", "picture", "voices", "person-picture:a", "person-video:a") if is_hidden(name)
    ] == [
        "picture",
        "voices",
        "person-picture:a",
    ]
