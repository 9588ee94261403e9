"""Everyone's sound in one part of the recording, or in several: of each person a FLAC (48 kHz, mono, 24 bits) for each
part in which anything was heard, and for each part how loud everybody was.

Where the recording goes on in new files at the parts' borders, a step makes one part; of long files it makes all parts
in one pass, since sound can only be read from a file's start.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter, rechunked
from vmeet_core.media.voices import Levels, levels
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ, laid_out
from vmeet_core.pipeline.steps.pieces import piece_role
from vmeet_core.timeline import SegmentSpan

VERSION = 2
LEVELS = "levels"


class Params(BaseModel):
    """``edges_s``: the parts' borders, beginning and end included; ``first``: the number of the first part.

    ``people``: the segments of each in order of their start.
    """

    first: int
    edges_s: tuple[float, ...]
    people: dict[str, tuple[SegmentSpan, ...]]


def levels_role(number: int) -> str:
    return f"{LEVELS}:{number}"


def run(work: Work) -> None:
    """Raises ValueError for parts that do not begin at whole seconds."""
    params = Params.model_validate(work.params)
    if any(edge_s % 1 for edge_s in params.edges_s[:-1]):
        raise ValueError(f"parts of sound begin at whole seconds, not at {params.edges_s}")
    edges = [round(edge_s * SAMPLE_RATE_HZ) for edge_s in params.edges_s]
    loud: list[dict[str, Levels]] = [{} for _ in edges[1:]]
    done, total = 0, max(1, len(params.people) * (edges[-1] - edges[0]))
    for person, segments in params.people.items():
        blocks = rechunked(laid_out(work.folder, segments, edges[-1], edges[0]), SAMPLE_RATE_HZ)
        for part, (start, end) in enumerate(pairwise(edges)):
            target = work.outputs.get(piece_role(params.first + part, person))
            heard = [levels(block, SAMPLE_RATE_HZ) for block in _kept(blocks, end - start, target)]
            if target is not None:
                loud[part][person] = np.concatenate(heard)
            done += end - start
            work.progress(done / total)
    for part, each in enumerate(loud):
        write_levels(work.outputs[levels_role(params.first + part)], each)


def _kept(blocks: Iterator[Audio], samples: int, target: Path | None) -> Iterator[Audio]:
    """The next ``samples``, which are written to ``target`` as they pass, where there is one."""
    with nullcontext() if target is None else AudioWriter(target, SAMPLE_RATE_HZ) as writer:
        while samples > 0:
            block = next(blocks)
            samples -= len(block)
            if writer is not None:
                writer.write(block)
            yield block


def write_levels(path: Path, loud: dict[str, Levels]) -> None:
    """An archive (npz) of the ids, and of one array for each, by its number among them."""
    with path.open("wb") as file:
        arrays: dict[str, Any] = {f"p{number}": each for number, each in enumerate(loud.values())}
        np.savez(file, people=np.array(list(loud), dtype=np.str_), **arrays)


def read_levels(path: Path) -> dict[str, Levels]:
    """Raises OSError and ValueError."""
    with np.load(path, allow_pickle=False) as archive:
        return {str(person): archive[f"p{number}"] for number, person in enumerate(archive["people"])}
