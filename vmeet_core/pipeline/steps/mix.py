"""Everyone's sound together, at -16 LUFS (EBU R128) by one linear gain, peaks limited; a FLAC."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter, duration_s, read_audio
from vmeet_core.media.loudness import amplified, find_gain
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.pieces import people_of, pieces, read_pieces

VERSION = 2
ROLE = "mix"
_SHARE = 0.25  # of the progress, for the last pass; most recordings need two or three before it


class Params(BaseModel):
    """``edges_s``: the borders of the parts that the sound comes in, beginning and end included; None: in one piece."""

    edges_s: tuple[float, ...] | None = None


def run(work: Work) -> None:
    """All inputs are people, and equally long; or their pieces."""
    total = _total(work)
    gain = find_gain(lambda: summed(work), SAMPLE_RATE_HZ)
    work.progress(1 - _SHARE)
    with AudioWriter(work.outputs[ROLE], SAMPLE_RATE_HZ) as writer:
        for block in amplified(summed(work), SAMPLE_RATE_HZ, gain):
            writer.write(block)
            work.progress(1 - _SHARE + _SHARE * min(1.0, writer.samples / total))


def summed(work: Work) -> Iterator[Audio]:
    for blocks in zip(*_people(work), strict=True):
        total: Audio = np.sum(blocks, axis=0, dtype=np.float32)
        yield total


def _people(work: Work) -> list[Iterator[Audio]]:
    edges_s = Params.model_validate(work.params).edges_s
    if edges_s is None:
        return [read_audio(path, SAMPLE_RATE_HZ) for path in work.inputs.values()]
    return [read_pieces(pieces(work.inputs, person, edges_s)) for person in people_of(work.inputs)]


def _total(work: Work) -> int:
    edges_s = Params.model_validate(work.params).edges_s
    length_s = duration_s(next(iter(work.inputs.values()))) if edges_s is None else edges_s[-1] - edges_s[0]
    return max(1, round(length_s * SAMPLE_RATE_HZ))
