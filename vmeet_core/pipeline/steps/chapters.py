"""The chapters of a recording, as WebVTT: who came, who left, and when a screen was shared.

A title is a sign and names, which needs no language; the cue's identifier says the same to programs: the page writes it
out in the reader's words.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.media.captions import Chapter, write_chapters
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.layout import screen_spans
from vmeet_core.timeline import Timeline

VERSION = 1
ROLE = "chapters"
TOGETHER_S = 2.0  #: what happens within this time makes one chapter
SIGNS = {"joined": "+", "left": "\N{MINUS SIGN}", "screen-started": "▶", "screen-stopped": "■"}

Kind = Literal["joined", "left", "screen-started", "screen-stopped"]


class Happening(BaseModel):
    """Something that a chapter begins with, and to whom it happened."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at_s: float
    kind: Kind
    names: tuple[str, ...]


class Params(BaseModel):
    """In order of time."""

    happenings: tuple[Happening, ...]
    duration_s: float


def run(work: Work) -> None:
    params = Params.model_validate(work.params)
    chapters = [
        Chapter(each.at_s, each.kind, f"{SIGNS[each.kind]} {', '.join(each.names)}") for each in params.happenings
    ]
    write_chapters(work.outputs[ROLE], chapters, params.duration_s)


def happenings(timeline: Timeline) -> tuple[Happening, ...]:
    """Joins, leaves, and the beginnings and ends of shared screens, but for what is over with the recording."""
    found: list[Happening] = []
    for person in timeline.people:
        spans = [("joined", "left", span) for span in person.present]
        spans += [("screen-started", "screen-stopped", span) for span in screen_spans(person.segments("screen"))]
        for start, end, span in spans:
            found.append(Happening.model_validate({"at_s": span.start_s, "kind": start, "names": (person.name,)}))
            if span.end_s < timeline.duration_s - TOGETHER_S:
                found.append(Happening.model_validate({"at_s": span.end_s, "kind": end, "names": (person.name,)}))
    return tuple(_together(sorted(found, key=lambda each: each.at_s)))


def _together(found: Sequence[Happening]) -> list[Happening]:
    """Several who come or go at about the same time share a chapter."""
    joined: list[Happening] = []
    for each in found:
        last = joined[-1] if joined else None
        if last and last.kind == each.kind and each.at_s - last.at_s <= TOGETHER_S:
            joined[-1] = last.model_copy(update={"names": (*last.names, *each.names)})
        else:
            joined.append(each)
    return joined
