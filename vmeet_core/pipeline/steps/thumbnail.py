"""A small picture that stands for the recording: a moment when as many people as possible are seen."""

from collections.abc import Sequence

from PIL import Image
from pydantic import BaseModel

from vmeet_core.media.mux import picture_at
from vmeet_core.pipeline.spec import Work
from vmeet_core.timeline import SegmentSpan

VERSION = 1
INPUT, ROLE = "picture", "thumbnail"
WIDTH_PX = 480
_JPEG_QUALITY = 82


class Params(BaseModel):
    """Where to look."""

    at_s: float


def run(work: Work) -> None:
    frame = picture_at(work.inputs[INPUT], Params.model_validate(work.params).at_s)
    height = max(1, round(frame.height * WIDTH_PX / frame.width))
    image: Image.Image = frame.to_image(width=WIDTH_PX, height=height)  # type: ignore[no-untyped-call]
    image.save(work.outputs[ROLE], "JPEG", quality=_JPEG_QUALITY)


def best_moment_s(segments: Sequence[SegmentSpan], duration_s: float) -> float:
    """The middle of a segment during which most others run too, of the longest of these; else of the whole."""

    def seen(at_s: float) -> int:
        return sum(segment.start_s <= at_s < segment.end_s for segment in segments)

    middles = [(seen(s.start_s + s.duration_s / 2), s.duration_s, s.start_s + s.duration_s / 2) for s in segments]
    return max(middles)[2] if middles else duration_s / 2
