"""The WebVTT track beside the video: who speaks when, and, once somebody has written it down, what is said."""

from pydantic import BaseModel

from vmeet_core.media.captions import Cue, write_captions
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.voices import read_voices

VERSION = 1
VOICES, ROLE = "voices", "captions"


class Params(BaseModel):
    """The people's names by their ids."""

    names: dict[str, str]


def run(work: Work) -> None:
    names = Params.model_validate(work.params).names
    turns = read_voices(work.inputs[VOICES]).turns
    cues = [Cue(turn.start_s, turn.end_s, names[person]) for person in turns for turn in turns[person]]
    write_captions(work.outputs[ROLE], cues)
