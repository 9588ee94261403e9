"""Everyone's sound together, at -16 LUFS (EBU R128) by one linear gain, peaks limited; a FLAC."""

from collections.abc import Iterator

import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter, duration_s, read_audio
from vmeet_core.media.loudness import find_gain_db, limited
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ

VERSION = 1
ROLE = "mix"
_SHARE = 0.25  # of the progress, for the last pass; most recordings need two or three before it


def run(work: Work) -> None:
    """All inputs are people, and equally long."""
    total = max(1, round(duration_s(next(iter(work.inputs.values()))) * SAMPLE_RATE_HZ))
    gain_db = find_gain_db(lambda: summed(work), SAMPLE_RATE_HZ)
    work.progress(1 - _SHARE)
    with AudioWriter(work.outputs[ROLE], SAMPLE_RATE_HZ) as writer:
        for block in limited(summed(work), SAMPLE_RATE_HZ, gain_db):
            writer.write(block)
            work.progress(1 - _SHARE + _SHARE * min(1.0, writer.samples / total))


def summed(work: Work) -> Iterator[Audio]:
    people = [read_audio(path, SAMPLE_RATE_HZ) for path in work.inputs.values()]
    for blocks in zip(*people, strict=True):
        total: Audio = np.sum(blocks, axis=0, dtype=np.float32)
        yield total
