"""One person's sound, laid on the recording's time line: a FLAC (48 kHz, mono, 24 bits) from time 0 to the end."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.segments import segment_sound, silence
from vmeet_core.pipeline.spec import Work
from vmeet_core.timeline import SegmentSpan

VERSION = 2
ROLE = "sound"
SAMPLE_RATE_HZ = 48_000


class Params(BaseModel):
    """``segments`` in order of their start."""

    segments: tuple[SegmentSpan, ...]
    duration_s: float


def run(work: Work) -> None:
    params = Params.model_validate(work.params)
    total = round(params.duration_s * SAMPLE_RATE_HZ)
    with AudioWriter(work.outputs[ROLE], SAMPLE_RATE_HZ) as writer:
        for block in laid_out(work.folder, params.segments, total):
            writer.write(block)
            work.progress(writer.samples / total)


def laid_out(folder: Path, segments: tuple[SegmentSpan, ...], total: int, begin: int = 0) -> Iterator[Audio]:
    """The samples from ``begin`` to ``total``: every segment at its place, cut where the next one begins, silence
    between them.

    A segment is read to the end of its file: the journal's duration counts to the start of its last packet; and always
    from its beginning: timestamps are whole milliseconds, and a later one would place the same samples elsewhere.
    """
    position = begin
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        start = round(segment.start_s * SAMPLE_RATE_HZ)
        end = total if following is None else min(total, round(following.start_s * SAMPLE_RATE_HZ))
        since = max(start, begin)
        if end <= since:
            continue
        yield from silence(since - position, SAMPLE_RATE_HZ)
        length_s = (end - start) / SAMPLE_RATE_HZ
        sound = segment_sound(folder / segment.file, segment.trim_s, length_s, SAMPLE_RATE_HZ)
        yield from _after(sound, since - start)
        position = end
    yield from silence(total - position, SAMPLE_RATE_HZ)


def _after(blocks: Iterator[Audio], samples: int) -> Iterator[Audio]:
    """Without the first ``samples``."""
    for block in blocks:
        if samples < len(block):
            yield block[samples:]
        samples = max(0, samples - len(block))
