"""What people say, by the transcriber that the job names: of the whole sound, or of one part of the recording; JSON.

Sound is cut where it is quiet. A part does not end at its border, where somebody may be in the middle of a word, but at
the quietest moment of the ``LAG_S`` before it, and the next part goes on from there: either finds that moment in the
same sound, so that nothing is written down twice, and nothing left out. It is given as it is: script, punctuation and
numbers are the transcript's business.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from vmeet_core.hookspecs import Audio, Transcriber
from vmeet_core.media.silence import Phrase, heard, pause_s, phrases
from vmeet_core.media.transcribe import JOIN_S, transcribed_phrases
from vmeet_core.media.transcript import Utterance, Word
from vmeet_core.media.voices import PACKET_S
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.pieces import Piece, read_pieces
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import validated

VERSION = 1
ROLE = "speech"
NOW, BEFORE = "now", "before"  #: before a ":" and a person's id: the sound of this part, and of the one before
LAG_S = 12.0


class Params(BaseModel):
    """The provider's name and options, and whose sound from ``from_s`` on: ``before_s`` of it belong to the part
    before (0: this is the first), ``duration_s`` to this one (None: as much as there is). ``hot_words`` are to be
    expected.
    """

    transcriber: str
    options: dict[str, Any]
    language: str
    hot_words: tuple[str, ...]
    people: tuple[str, ...]
    from_s: float = 0.0
    before_s: float = 0.0
    duration_s: float | None = None
    is_last: bool = True


class Speech(BaseModel):
    """In order of people, and of time."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    utterances: tuple[Utterance, ...]


def read_speech(path: Path) -> Speech:
    """Raises OSError and ValueError."""
    return Speech.model_validate_json(path.read_bytes())


def run(work: Work) -> None:
    """Raises Permanent for a provider that cannot be loaded; what the transcriber raises passes through."""
    params = Params.model_validate(work.params)
    provider = discover().get("transcribers", params.transcriber)
    options = validated(provider.options, params.options, f"options.{params.transcriber}")
    engine: Transcriber = load_provider(work.settings, discover(), "transcribers", params.transcriber, work.temp_dir)
    found: list[Utterance] = []
    with closing(engine):
        for number, person in enumerate(params.people):
            found += _said(work, params, person, engine, options, number)
            work.progress((number + 1) / len(params.people))
    work.outputs[ROLE].write_text(Speech(utterances=tuple(found)).model_dump_json(), encoding="utf-8")


def _said(
    work: Work, params: Params, person: str, engine: Transcriber, options: Any, number: int
) -> Iterator[Utterance]:
    def progress(share: float) -> None:
        work.progress((number + share) / len(params.people))

    cut = _phrases(work, params, person, engine.max_chunk_s)
    with closing(engine.open(options)) as stream:
        for segment in transcribed_phrases(
            _sound(work, params, person),
            SAMPLE_RATE_HZ,
            cut,
            engine,
            stream,
            params.language,
            params.hot_words,
            progress,
        ):
            if segment.text:
                yield Utterance(
                    person=person,
                    start_s=round(params.from_s + segment.start_s, 3),
                    end_s=round(params.from_s + segment.end_s, 3),
                    text=segment.text,
                    language=segment.language,
                    confidence=segment.confidence,
                    words=tuple(
                        Word(
                            start_s=round(params.from_s + start_s, 3), end_s=round(params.from_s + end_s, 3), text=text
                        )
                        for start_s, end_s, text in segment.words
                    ),
                )


def _sound(work: Work, params: Params, person: str) -> Iterator[Audio]:
    """From ``from_s`` on."""
    if params.duration_s is None:
        return read_pieces([Piece(work.inputs[f"{NOW}:{person}"], None)])
    return read_pieces(
        [
            Piece(work.inputs.get(f"{BEFORE}:{person}"), round(params.before_s * SAMPLE_RATE_HZ)),
            Piece(work.inputs.get(f"{NOW}:{person}"), round(params.duration_s * SAMPLE_RATE_HZ)),
        ]
    )


def _phrases(work: Work, params: Params, person: str, most_s: float) -> list[Phrase]:
    """Of what belongs to this part, in the time of ``_sound``."""
    found = heard(_sound(work, params, person), SAMPLE_RATE_HZ)
    begin_s, end_s = 0.0, len(found.levels) * PACKET_S
    if params.before_s:
        begin_s = pause_s(found.levels, max(0.0, params.before_s - LAG_S), params.before_s)
    if not params.is_last and params.duration_s is not None:
        border_s = params.before_s + params.duration_s
        end_s = pause_s(found.levels, max(params.before_s, border_s - LAG_S), border_s)
    first, last = round(begin_s / PACKET_S), round(end_s / PACKET_S)
    return [
        Phrase(round(start_s + first * PACKET_S, 3), round(until_s + first * PACKET_S, 3))
        for start_s, until_s in phrases(found.between(first, last), most_s, JOIN_S)
    ]
