"""Who said what and when, as it is to be read: everybody's speech together, in the script that was asked for."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel

from vmeet_core.media.minutes import About
from vmeet_core.media.retiming import retimed
from vmeet_core.media.script import in_script
from vmeet_core.media.transcript import Transcript, Utterance, Word, write_transcript
from vmeet_core.media.transcript_files import write_transcript_files
from vmeet_core.media.writing import as_read, has_own_han
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.transcribe import read_speech
from vmeet_core.settings import Numbers, Script

VERSION = 1
ROLE = "transcript"


class Params(BaseModel):
    """The people's names by their ids, and of the recording what minutes begin with: ``started_at`` is a local time
    with its zone. The inputs are what was said in each part.
    """

    names: dict[str, str]
    transcriber: str
    script: Script
    numbers: Numbers = "as-spoken"
    title: str = ""
    started_at: datetime | None = None
    duration_s: float | None = None


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
    about = About(params.title, params.started_at, params.duration_s)
    files = {role: path for role, path in work.outputs.items() if role != ROLE}
    write_transcript_files(transcript, about, files)


def _written(said: list[Utterance], params: Params) -> Iterable[Utterance]:
    """What one person said; whether that is Simplified Chinese, what was said before and after tells, too."""
    names = [name for name in params.names.values() if name]
    foreign = [has_own_han(each.language) for each in said]
    lines = [" ".join(each.text.split()) for each in said]
    chinese = iter(
        in_script(
            "\n".join(line for line, is_foreign in zip(lines, foreign, strict=True) if not is_foreign),
            params.script,
            names,
        ).split("\n")
    )
    for utterance, line, is_foreign in zip(said, lines, foreign, strict=True):
        text = line if is_foreign else as_read(next(chinese), params.numbers)
        words = retimed([(word.start_s, word.end_s, word.text) for word in utterance.words], text)
        yield utterance.model_copy(
            update={
                "text": text,
                "words": tuple(Word(start_s=start_s, end_s=end_s, text=word) for start_s, end_s, word in words),
            }
        )
