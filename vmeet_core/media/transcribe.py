"""Sound through a transcriber: cut into phrases, each resampled to its rate, and what it writes put in its place."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite

import numpy as np

from vmeet_core.hookspecs import Audio, Context, Segment, Transcriber, TranscriberStream
from vmeet_core.media.audio import resample
from vmeet_core.media.silence import Phrase, heard, phrases

JOIN_S = 2.0  #: phrases closer than that are given as one: what was said before helps to understand what follows
BEFORE_CHARS = 200  #: of the text before that a transcriber is told

Blocks = Iterable[Audio]


def transcribed(
    sound: Callable[[], Blocks],
    sample_rate_hz: int,
    engine: Transcriber,
    stream: TranscriberStream,
    language: str,
    hot_words: Sequence[str] = (),
    on_phrase: Callable[[float], None] | None = None,
) -> Iterator[Segment]:
    """What is said in a signal, mono float32, in order; ``sound()`` gives it in blocks of any length, twice.

    Nothing is asked of a silence. ``on_phrase`` is told how much of what is to be done is done, 0 to 1. What the engine
    raises passes through; RuntimeError for times that are no numbers.
    """
    cut = phrases(heard(sound(), sample_rate_hz), engine.max_chunk_s, JOIN_S)
    yield from transcribed_phrases(sound(), sample_rate_hz, cut, engine, stream, language, hot_words, on_phrase)


def transcribed_phrases(
    blocks: Blocks,
    sample_rate_hz: int,
    cut: Sequence[Phrase],
    engine: Transcriber,
    stream: TranscriberStream,
    language: str,
    hot_words: Sequence[str] = (),
    on_phrase: Callable[[float], None] | None = None,
) -> Iterator[Segment]:
    """The same for phrases that have been found already, in order and without overlap."""
    total_s, done_s, before = sum(end_s - start_s for start_s, end_s in cut), 0.0, ""
    most = int(engine.max_chunk_s * engine.sample_rate_hz)
    for phrase, audio in zip(cut, sliced(blocks, sample_rate_hz, cut), strict=True):
        chunk = resample(audio, sample_rate_hz, engine.sample_rate_hz)[:most]
        chunk.flags.writeable = False
        context = Context(tuple(hot_words), before)
        for segment in stream.transcribe(chunk, language, context):
            placed = _placed(segment, phrase, engine)
            before = f"{before} {placed.text}".strip()[-BEFORE_CHARS:]
            yield placed
        done_s += phrase.end_s - phrase.start_s
        if on_phrase is not None:
            on_phrase(min(1.0, done_s / total_s))


def sliced(blocks: Blocks, sample_rate_hz: int, cut: Sequence[Phrase]) -> Iterator[Audio]:
    """Of a signal what lies within each phrase, which are in order and apart; no more than one of them is held."""
    source, held, position = iter(blocks), np.zeros(0, np.float32), 0  # ``position`` of the first sample held
    for phrase in cut:
        start, end = round(phrase.start_s * sample_rate_hz), round(phrase.end_s * sample_rate_hz)
        parts = []
        while position < end:
            if not len(held):
                held = next(source, held)
                if not len(held):
                    break
            parts.append(held[max(0, start - position) : end - position])
            taken = min(len(held), end - position)
            held, position = held[taken:], position + taken
        yield np.concatenate([np.zeros(0, np.float32), *parts])


def _placed(segment: Segment, phrase: Phrase, engine: Transcriber) -> Segment:
    """In the time of the signal, within its phrase."""

    def at(time_s: float) -> float:
        if not isfinite(time_s):
            raise RuntimeError(
                f"the transcriber {type(engine).__module__} gave a time of {time_s} s: `vmeet check` says what is wrong"
            )
        return round(min(max(phrase.start_s, phrase.start_s + time_s), phrase.end_s), 3)

    return segment._replace(
        start_s=at(segment.start_s),
        end_s=max(at(segment.start_s), at(segment.end_s)),
        text=segment.text.strip(),
        words=tuple((at(start_s), max(at(start_s), at(end_s)), text) for start_s, end_s, text in segment.words),
    )
