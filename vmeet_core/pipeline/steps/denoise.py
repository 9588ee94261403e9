"""Sound through the denoiser that the job names, as long as before and in step with it: one person's from beginning to
end (``run``), or everybody's of one part of the recording (``run_part``).

A denoiser has a memory: so a part is begun ``RUN_IN_S`` early, and what comes of that is thrown away. And some look
ahead: so what is made of a part ends ``LAG_S`` before it does, and the next one goes on from there. Whatever the
denoiser, the parts put together are as long as the sound; how much they differ from what one pass gives depends on how
long it remembers.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pydantic import BaseModel

from vmeet_core.hookspecs import Audio, Denoiser
from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.denoise import denoise_file, denoised
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.pieces import Piece, read_pieces
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import validated

VERSION = 1
INPUT, ROLE = "sound", "denoised"
NOW, BEFORE = "now", "before"  #: before a ":" and a person's id: the sound of this part, and of the one before
RUN_IN_S = 5.0
LAG_S = 2.0


class Params(BaseModel):
    """The provider's name, and its options."""

    denoiser: str
    options: dict[str, Any]


class PartParams(Params):
    """Of whom, and how long this part and the one before (0: this is the first) are."""

    people: tuple[str, ...]
    duration_s: float
    before_s: float
    is_last: bool


def run(work: Work) -> None:
    """Raises Permanent for a provider that cannot be loaded; what the denoiser raises passes through."""
    params = Params.model_validate(work.params)
    with closing(_loaded(work, params)) as engine:
        denoise_file(work.inputs[INPUT], work.outputs[ROLE], engine, _options(params), work.progress)


def run_part(work: Work) -> None:
    """Raises as ``run``."""
    params = PartParams.model_validate(work.params)
    options = _options(params)
    with closing(_loaded(work, params)) as engine:
        for number, person in enumerate(params.people):
            with AudioWriter(work.outputs[person], SAMPLE_RATE_HZ) as writer:
                for block in _part(work, params, person, engine, options):
                    writer.write(block)
            work.progress((number + 1) / len(params.people))


def lagging(edges_s: tuple[float, ...]) -> tuple[float, ...]:
    """Where what is made of each part begins and ends, for parts with these borders."""
    return (edges_s[0], *(edge_s - LAG_S for edge_s in edges_s[1:-1]), edges_s[-1])


def _loaded(work: Work, params: Params) -> Denoiser:
    engine: Denoiser = load_provider(work.settings, discover(), "denoisers", params.denoiser, work.temp_dir)
    return engine


def _options(params: Params) -> Any:
    provider = discover().get("denoisers", params.denoiser)
    return validated(provider.options, params.options, f"options.{params.denoiser}")


def _part(work: Work, params: PartParams, person: str, engine: Denoiser, options: Any) -> Iterator[Audio]:
    before, now = (round(each_s * SAMPLE_RATE_HZ) for each_s in (params.before_s, params.duration_s))
    sound = read_pieces(
        [
            Piece(work.inputs.get(f"{BEFORE}:{person}"), before),
            Piece(work.inputs.get(f"{NOW}:{person}"), now),
        ]
    )
    return denoised_part(sound, before, before + now, params.is_last, engine, options)


def denoised_part(
    sound: Iterator[Audio], first: int, total: int, is_last: bool, engine: Denoiser, options: Any
) -> Iterator[Audio]:
    """Of ``sound``, which is as long as ``total`` samples at 48 kHz, what comes of the part from sample ``first`` on.

    It begins ``LAG_S`` before that, unless 0 is the first, and ends ``LAG_S`` before the end, unless it is the last.
    """
    lag, run_in = (round(each_s * SAMPLE_RATE_HZ) for each_s in (LAG_S, RUN_IN_S))
    first, last = max(0, first - lag), total - (0 if is_last else lag)
    begin = max(0, first - run_in)
    heard = _between(sound, begin, total)
    yield from _between(denoised(heard, SAMPLE_RATE_HZ, engine, options), first - begin, last - begin)


def _between(blocks: Iterator[Audio], first: int, end: int) -> Iterator[Audio]:
    """Of a signal the samples from ``first`` up to ``end``."""
    position = 0
    for block in blocks:
        part = block[max(0, first - position) : max(0, end - position)]
        position += len(block)
        if len(part):
            yield part
