"""Who speaks when, and who is to be seen large: found by the loudness of each person's sound; JSON."""

from itertools import zip_longest
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from vmeet_core.media.audio import duration_s, read_audio
from vmeet_core.media.voices import Listener, levels
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.timeline import Span

VERSION = 1
ROLE = "voices"
_NOTHING = np.zeros(0, np.float32)


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
    listener.finish()
    voices = Voices(
        turns={
            person: tuple(Span(start_s=turn.start_s, end_s=turn.end_s) for turn in turns)
            for person, turns in listener.turns.items()
        },
        floor=tuple(FloorChange(at_s=change.at_s, person=change.person) for change in listener.floor),
    )
    work.outputs[ROLE].write_text(voices.model_dump_json(), encoding="utf-8")
