"""Tests of the step that makes the file people play; the file itself is tested with ``media.mux``."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from material import RATE_HZ, write_pictures

from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.frames import planes_of
from vmeet_core.media.mux import PictureWriter
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.join import PICTURE, ROLE, SOUND, Params, part_role, run


@pytest.mark.parametrize("roles", [(PICTURE, SOUND), (PICTURE,), (SOUND,)])
def test_either_input_may_be_absent(tmp_path: Path, make_work: Callable[..., Work], roles: tuple[str, ...]) -> None:
    files = {PICTURE: tmp_path / "a.mkv", SOUND: tmp_path / "a.flac"}
    write_pictures(files[PICTURE], 1.0, codec="h264")
    with AudioWriter(files[SOUND], RATE_HZ) as writer:
        writer.write(np.zeros(RATE_HZ, np.float32))
    inputs = {role: files[role] for role in roles}
    run(make_work(tmp_path, Params(title="週會"), inputs, {ROLE: tmp_path / "out.mp4"}))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (PICTURE in roles, SOUND in roles)
        assert container.metadata["title"] == "週會"
        assert container.duration / av.time_base == pytest.approx(1.0, abs=0.05)


def test_a_picture_in_parts_is_put_together_in_order(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    half = np.full((18, 32), 128, np.uint8)
    inputs = {}
    for number in range(11):  # "picture:10" comes after "picture:9"
        inputs[part_role(number)] = tmp_path / f"{number}.mp4"
        with PictureWriter(inputs[part_role(number)], 64, 36, Fraction(30), 1) as writer:
            for _ in range(2):
                writer.write((np.full((36, 64), 20 * number + 20, np.uint8), half, half))
    shuffled = dict(sorted(inputs.items()))
    run(make_work(tmp_path, Params(title=""), shuffled, {ROLE: tmp_path / "out.mp4"}))
    with av.open(str(tmp_path / "out.mp4")) as container:
        lumas = [float(planes_of(frame)[0].mean()) for frame in container.decode(video=0)]
    assert lumas == pytest.approx([20 * number + 20 for number in range(11) for _ in range(2)], abs=3)
