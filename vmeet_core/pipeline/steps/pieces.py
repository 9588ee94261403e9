"""One person's sound in pieces: a file for each part of the recording in which anything of them was heard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import read_audio, rechunked
from vmeet_core.media.segments import silence
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ


class Piece(NamedTuple):
    """``path`` None: ``samples`` of silence. ``samples`` None: as many as are in the file."""

    path: Path | None
    samples: int | None


def piece_role(number: int, person: str) -> str:
    """The role of a person's piece of part ``number``."""
    return f"{number}:{person}"


def people_of(roles: Iterable[str]) -> list[str]:
    """Everyone of whom there is a piece, in order of appearance."""
    return list(dict.fromkeys(role.partition(":")[2] for role in roles))


def pieces(inputs: Mapping[str, Path], person: str, edges_s: Sequence[float]) -> list[Piece]:
    """Those of a person, one for each part; ``edges_s`` are the borders of the parts, beginning and end included."""
    edges = [round(edge_s * SAMPLE_RATE_HZ) for edge_s in edges_s]
    lengths = [end - start for start, end in pairwise(edges)]
    return [Piece(inputs.get(piece_role(number, person)), length) for number, length in enumerate(lengths)]


def read_pieces(pieces: Sequence[Piece]) -> Iterator[Audio]:
    """One after the other, in blocks of a second. Raises MediaError and OSError; ValueError for a wrong length."""
    yield from rechunked(_all(pieces), SAMPLE_RATE_HZ)


def _all(pieces: Sequence[Piece]) -> Iterator[Audio]:
    for piece in pieces:
        if piece.path is None:
            yield from silence(piece.samples or 0, SAMPLE_RATE_HZ)
            continue
        samples = 0
        for block in read_audio(piece.path, SAMPLE_RATE_HZ):
            samples += len(block)
            yield block
        if piece.samples not in (None, samples):
            raise ValueError(f"{piece.path} has {samples} samples instead of {piece.samples}")
