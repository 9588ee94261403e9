"""Tests of what passes between the server and a step's process."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from vmeet_core.pipeline.messages import Order, Report
from vmeet_core.settings import Settings


def test_an_order_is_one_line_and_carries_the_settings(tmp_path: Path, settings: Settings) -> None:
    order = Order(
        function="module:run",
        folder=tmp_path,
        params={"title": "two\nlines"},
        inputs={"sound": tmp_path / "a.flac"},
        outputs={},
        temp_dir=tmp_path,
        settings=settings,
        threads=2,
        parent_pid=1,
    )
    line = order.model_dump_json()
    assert "\n" not in line
    assert Order.model_validate_json(line) == order


def test_a_report_cut_short_is_refused() -> None:
    line = Report(kind="failed", message="no", retry_after_s=3).model_dump_json()
    assert Report.model_validate_json(line).retry_after_s == 3
    with pytest.raises(ValidationError):
        Report.model_validate_json(line[:-3])
