"""Tests of what the first step passes on."""

import pytest
from pydantic import ValidationError

from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.timeline import Timeline


def test_it_survives_the_way_through_a_file() -> None:
    timeline = Timeline(recording_id="r", title="週會", duration_s=1 / 3, complete=True, people=())
    before = Prepared(timeline=timeline, canvas=CanvasFormat(fps="30000/1001"), digests={"a": "1:ff"})
    assert Prepared.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize("wrong", [{"width": 641}, {"height": 0}, {"fps": "0"}, {"fps": "fast"}])
def test_a_canvas_that_cannot_be_encoded_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        CanvasFormat.model_validate(wrong)
