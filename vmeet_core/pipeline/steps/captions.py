"""The WebVTT track beside the video: who speaks when, or, where somebody has written it down, what is said."""

from pydantic import BaseModel

from vmeet_core.media.captions import Cue, write_captions
from vmeet_core.media.speech_captions import cues
from vmeet_core.media.transcript import read_transcript
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.voices import read_voices

VERSION = 1
TRANSCRIPT_VERSION = 1
TRANSCRIPT = "transcript"
VOICES, ROLE = "voices", "captions"


class Params(BaseModel):
    """The people's names by their ids."""

    names: dict[str, str]


def run(work: Work) -> None:
    names = Params.model_validate(work.params).names
    turns = read_voices(work.inputs[VOICES]).turns
    spoken = [Cue(turn.start_s, turn.end_s, names[person]) for person in turns for turn in turns[person]]
    write_captions(work.outputs[ROLE], spoken)


def run_transcript(work: Work) -> None:
    """What is said, from a transcript."""
    write_captions(work.outputs[ROLE], cues(read_transcript(work.inputs[TRANSCRIPT])))
