"""Who said what and when, as it is to be read: everybody's speech together, in the script that was asked for."""

from collections.abc import Iterable

from pydantic import BaseModel

from vmeet_core.media.retiming import retimed
from vmeet_core.media.script import in_script
from vmeet_core.media.transcript import Transcript, Utterance, Word, write_transcript
from vmeet_core.media.typography import typeset
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.transcribe import read_speech
from vmeet_core.settings import Script

VERSION = 1
ROLE = "transcript"
_OTHER_HAN = ("ja", "ko")  #: languages that write Chinese characters in a way of their own


class Params(BaseModel):
    """The people's names by their ids; the inputs are what was said in each part of the recording."""

    names: dict[str, str]
    transcriber: str
    script: Script


def run(work: Work) -> None:
    params = Params.model_validate(work.params)
    said = [utterance for path in work.inputs.values() for utterance in read_speech(path).utterances]
    written = [
        utterance
        for person in params.names
        for utterance in _written([each for each in said if each.person == person], params)
    ]
    transcript = Transcript(
        people=params.names,
        utterances=tuple(sorted(written, key=lambda each: (each.start_s, each.end_s))),
        transcriber=params.transcriber,
        script=params.script,
    )
    write_transcript(work.outputs[ROLE], transcript)


def _written(said: list[Utterance], params: Params) -> Iterable[Utterance]:
    """What one person said; whether that is Simplified Chinese, what was said before and after tells, too."""
    names = [name for name in params.names.values() if name]
    foreign = [each.language.partition("-")[0].lower() in _OTHER_HAN for each in said]
    lines = [" ".join(each.text.split()) for each in said]
    chinese = iter(
        in_script(
            "\n".join(line for line, is_foreign in zip(lines, foreign, strict=True) if not is_foreign),
            params.script,
            names,
        ).split("\n")
    )
    for utterance, line, is_foreign in zip(said, lines, foreign, strict=True):
        text = line if is_foreign else typeset(next(chinese))
        words = retimed([(word.start_s, word.end_s, word.text) for word in utterance.words], text)
        yield utterance.model_copy(
            update={
                "text": text,
                "words": tuple(Word(start_s=start_s, end_s=end_s, text=word) for start_s, end_s, word in words),
            }
        )
