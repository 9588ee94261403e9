"""Picture and mixed sound into the MP4 that people play; the picture is copied, the sound becomes AAC."""

from pydantic import BaseModel

from vmeet_core.media.mux import join
from vmeet_core.pipeline.spec import Work

VERSION = 2
PICTURE, SOUND, ROLE = "picture", "sound", "joined"


class Params(BaseModel):
    """The title that players show."""

    title: str


def part_role(number: int) -> str:
    """The role of a picture that was made in parts: 0, 1, 2 … in order of time."""
    return f"{PICTURE}:{number}"


def run(work: Work) -> None:
    """Sound or picture may be absent; the picture is one input, or its parts are."""
    title = Params.model_validate(work.params).title
    parts = [role for role in work.inputs if role.partition(":")[0] == PICTURE]
    pictures = [work.inputs[role] for role in sorted(parts, key=_number)]
    join(work.outputs[ROLE], pictures, work.inputs.get(SOUND), title)


def _number(role: str) -> int:
    return int(role.partition(":")[2] or 0)
