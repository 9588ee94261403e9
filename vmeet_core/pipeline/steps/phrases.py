"""What people say, cut at silences: for each phrase a file of sound and, with a transcript, what is said in it; ZIP."""

from pathlib import Path

from pydantic import BaseModel

from vmeet_core.media.phrase_files import Speaker, write_phrase_files
from vmeet_core.media.transcript import Utterance, read_transcript
from vmeet_core.pipeline.spec import Work

VERSION = 1
ROLE = "phrases"
SOUND = "sound"  #: before a ":" and a person's id
TRANSCRIPT = "transcript"  #: there may be none


class Params(BaseModel):
    """The people's names by their ids."""

    names: dict[str, str]


def run(work: Work) -> None:
    """Raises MediaError and OSError."""
    params = Params.model_validate(work.params)
    said = _said(work.inputs.get(TRANSCRIPT))
    speakers = [
        Speaker(name, work.inputs[f"{SOUND}:{person}"], [each for each in said if each.person == person])
        for person, name in params.names.items()
    ]
    write_phrase_files(work.outputs[ROLE], speakers, work.temp_dir, work.progress)


def _said(transcript: Path | None) -> tuple[Utterance, ...]:
    return () if transcript is None else read_transcript(transcript).utterances
