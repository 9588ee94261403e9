"""What the first step finds out about the media; the rest of the graph is built from it."""

from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vmeet_core.timeline import Timeline

LAYOUT_WIDTH_PX, LAYOUT_HEIGHT_PX, LAYOUT_FPS = 1280, 720, 30


def _rate(value: str) -> str:
    if Fraction(value) <= 0:
        raise ValueError("a rate must be positive")
    return value


class CanvasFormat(BaseModel):
    """The picture that is made. ``fps`` is a fraction as text; ``labels`` draws names and cards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    width: Annotated[int, Field(ge=2, multiple_of=2)] = LAYOUT_WIDTH_PX
    height: Annotated[int, Field(ge=2, multiple_of=2)] = LAYOUT_HEIGHT_PX
    fps: Annotated[str, AfterValidator(_rate)] = str(LAYOUT_FPS)
    labels: bool = True


class Prepared(BaseModel):
    """``digests`` maps each media file to its size and SHA-256; no ``canvas``: no picture is made.

    ``is_meeting``: several people, with names and times; not any media file. ``borders`` are where it is cut into
    parts, in seconds, all at whole ones; ``is_cut``: where all of its files are, too. Of a recording that still runs,
    what lies before ``ready_s`` does not change any more, and nothing after it is certain. ``started_at_s``: since the
    epoch, where that is known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    timeline: Timeline
    canvas: CanvasFormat | None
    digests: dict[str, str]
    is_meeting: bool = True
    borders: tuple[float, ...] = ()
    is_cut: bool = False
    ready_s: float | None = None
    started_at_s: float | None = None
