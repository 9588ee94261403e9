"""Who speaks when, and who is to be seen large: found by the loudness of each person's sound; JSON.

From the sound itself (``run``), or from how loud it was in each part of the recording (``run_levels``). Of the first
parts alone, what is found is what all of them give, up to ``LOOK_AHEAD_S`` before the end.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise, zip_longest
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from vmeet_core.media.audio import duration_s, read_audio
from vmeet_core.media.voices import PACKET_S, Levels, Listener, levels
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.sound import levels_role, read_levels
from vmeet_core.timeline import Span

VERSION = 1
ROLE = "voices"
_NOTHING = np.zeros(0, np.float32)
_SILENT = 127  # RFC 6464


class LevelsParams(BaseModel):
    """The people by their ids, and the borders of the parts, from 0 on."""

    people: tuple[str, ...]
    edges_s: tuple[float, ...]


class FloorChange(BaseModel):
    """From ``at_s`` on, ``person`` has the floor."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at_s: float
    person: str


class Voices(BaseModel):
    """``turns``: when each person speaks; ``floor``: who is to be seen, in order of time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    turns: dict[str, tuple[Span, ...]]
    floor: tuple[FloorChange, ...]


def read_voices(path: Path) -> Voices:
    """Raises OSError and ValueError."""
    return Voices.model_validate_json(path.read_bytes())


def run(work: Work) -> None:
    """The inputs are people, by their ids."""
    listener = Listener(work.inputs)
    total_s = max(1.0, max((duration_s(path) for path in work.inputs.values()), default=0.0))
    sounds = [read_audio(path, SAMPLE_RATE_HZ) for path in work.inputs.values()]
    for second, blocks in enumerate(zip_longest(*sounds, fillvalue=_NOTHING), start=1):
        heard = (levels(block, SAMPLE_RATE_HZ) for block in blocks)
        listener.hear(dict(zip(work.inputs, heard, strict=True)))
        work.progress(min(1.0, second / total_s))
    _write(listener, work.outputs[ROLE])


def run_levels(work: Work) -> None:
    """The inputs are what ``sound`` found in each part."""
    params = LevelsParams.model_validate(work.params)
    listener = Listener(params.people)
    for number, (start_s, end_s) in enumerate(pairwise(params.edges_s)):
        samples = round(end_s * SAMPLE_RATE_HZ) - round(start_s * SAMPLE_RATE_HZ)
        packets = -(-samples // round(PACKET_S * SAMPLE_RATE_HZ))
        for heard in _seconds(read_levels(work.inputs[levels_role(number)]), params.people, packets):
            listener.hear(heard)
        work.progress(end_s / params.edges_s[-1])
    _write(listener, work.outputs[ROLE])


def _seconds(found: Mapping[str, Levels], people: tuple[str, ...], packets: int) -> Iterator[dict[str, Levels]]:
    """A second at a time; whoever was not heard was silent."""
    silent = np.full(packets, _SILENT, np.uint8)
    second = round(1 / PACKET_S)
    for start in range(0, packets, second):
        yield {person: found.get(person, silent)[start : start + second] for person in people}


def _write(listener: Listener, target: Path) -> None:
    listener.finish()
    voices = Voices(
        turns={
            person: tuple(Span(start_s=turn.start_s, end_s=turn.end_s) for turn in turns)
            for person, turns in listener.turns.items()
        },
        floor=tuple(FloorChange(at_s=change.at_s, person=change.person) for change in listener.floor),
    )
    target.write_text(voices.model_dump_json(), encoding="utf-8")
