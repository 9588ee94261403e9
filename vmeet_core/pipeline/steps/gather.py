"""One person's sound from its pieces: a FLAC (48 kHz, mono, 24 bits) from time 0 to the end."""

from pydantic import BaseModel

from vmeet_core.media.audio import AudioWriter
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.pieces import pieces, read_pieces

VERSION = 1
ROLE = "sound"


class Params(BaseModel):
    """Whose, and the borders of the parts, beginning and end included."""

    person: str
    edges_s: tuple[float, ...]


def run(work: Work) -> None:
    params = Params.model_validate(work.params)
    total = max(1, round((params.edges_s[-1] - params.edges_s[0]) * SAMPLE_RATE_HZ))
    with AudioWriter(work.outputs[ROLE], SAMPLE_RATE_HZ) as writer:
        for block in read_pieces(pieces(work.inputs, params.person, params.edges_s)):
            writer.write(block)
            work.progress(min(1.0, writer.samples / total))
