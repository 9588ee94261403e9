"""Tests of the pipeline's public data."""

import pytest
from pydantic import ValidationError

from vmeet_core.pipeline.views import JobView, ProcessRequest, StepView


def test_a_request_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="denoizer"):
        ProcessRequest.model_validate({"denoizer": "dtln"})


def test_a_view_survives_the_way_through_json() -> None:
    step = StepView(
        name="mix", title="Mix", state="running", progress=0.5, seconds=None, error=None, log_tail=["INFO: 一行"]
    )
    view = JobView(
        id="j",
        recording_id="r",
        state="running",
        created_at_s=1.5,
        request=ProcessRequest(denoiser="dtln", options={"dtln": {"strength": 0.5}}),
        steps=[step],
        results={"video": "results/j/meeting.mp4"},
    )
    assert JobView.model_validate_json(view.model_dump_json()) == view
