"""Tests of the thumbnail."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from material import write_pictures
from PIL import Image

from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.thumbnail import INPUT, ROLE, Params, best_moment_s, run
from vmeet_core.timeline import SegmentSpan


def span(start_s: float, duration_s: float) -> SegmentSpan:
    return SegmentSpan(file="a", codec="vp8", clock_hz=90_000, start_s=start_s, trim_s=0, duration_s=duration_s)


def test_a_jpeg_of_the_moment(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    write_pictures(tmp_path / "a.mkv", 2.0, lambda t: 30 if t < 1 else 200, size_px=(640, 360))
    run(make_work(tmp_path, Params(at_s=1.5), {INPUT: tmp_path / "a.mkv"}, {ROLE: tmp_path / "out.jpg"}))
    with Image.open(tmp_path / "out.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (480, 270))
        assert np.asarray(image).mean() > 180


def test_the_moment_shows_as_many_people_as_possible() -> None:
    assert best_moment_s([], 10) == 5
    assert best_moment_s([span(2, 4)], 10) == 4
    assert best_moment_s([span(0, 10), span(6, 2), span(0, 3)], 10) in (7, 1.5)
    assert best_moment_s([span(0, 4), span(6, 2)], 10) == 2
    assert best_moment_s([span(0, 4), span(0, 4), span(5, 100)], 105) == pytest.approx(2)
