"""Picture and mixed sound into the MP4 that people play; the picture is copied, the sound becomes AAC."""

from pydantic import BaseModel

from vmeet_core.media.mux import join
from vmeet_core.pipeline.spec import Work

VERSION = 1
PICTURE, SOUND, ROLE = "picture", "sound", "joined"


class Params(BaseModel):
    """The title that players show."""

    title: str


def run(work: Work) -> None:
    """Either input may be absent."""
    title = Params.model_validate(work.params).title
    join(work.outputs[ROLE], work.inputs.get(PICTURE), work.inputs.get(SOUND), title)
