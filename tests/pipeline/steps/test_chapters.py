"""Tests of the chapters of a recording."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.chapters import ROLE, Params, happenings, run
from vmeet_core.timeline import Person, SegmentSpan, Span, Timeline, Track


def person(name: str, *present: tuple[float, float], screen: tuple[float, float] | None = None) -> Person:
    tracks: tuple[Track, ...] = ()
    if screen:
        start_s, end_s = screen
        known: dict[str, Any] = {"file": "s", "codec": "vp8", "clock_hz": 90_000, "trim_s": 0}
        segment = SegmentSpan(start_s=start_s, duration_s=end_s - start_s, **known)
        tracks = (Track(source="screen", segments=(segment,)),)
    spans = tuple(Span(start_s=start_s, end_s=end_s) for start_s, end_s in present)
    return Person(id=name, name=name, present=spans, tracks=tracks)


def timeline(duration_s: float, *people: Person) -> Timeline:
    return Timeline(recording_id="r", title="t", duration_s=duration_s, complete=True, people=people)


def test_comings_goings_and_screens() -> None:
    ann = person("Ann", (0, 60), (70, 99), screen=(20, 30))
    found = happenings(timeline(100, ann, person("Bob", (0.5, 100)), person("王小明", (15, 100), screen=(80, 100))))
    assert [(each.at_s, each.kind, each.names) for each in found] == [
        (0, "joined", ("Ann", "Bob")),
        (15, "joined", ("王小明",)),
        (20, "screen-started", ("Ann",)),
        (30, "screen-stopped", ("Ann",)),
        (60, "left", ("Ann",)),
        (70, "joined", ("Ann",)),
        (80, "screen-started", ("王小明",)),
    ]


def test_the_file(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    given = timeline(4000, person("Ann", (0, 3800)), person("王小明", (3700, 4000)))
    params = Params(happenings=happenings(given), duration_s=given.duration_s)
    run(make_work(tmp_path, params, {}, {ROLE: tmp_path / "chapters.vtt"}))
    assert (tmp_path / "chapters.vtt").read_text(encoding="utf-8").split("\n\n")[1:] == [
        "joined\n00:00:00.000 --> 01:01:40.000\n+ Ann",
        "joined\n01:01:40.000 --> 01:03:20.000\n+ 王小明",
        "left\n01:03:20.000 --> 01:06:40.000\n− Ann\n",
    ]
