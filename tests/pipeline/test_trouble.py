"""Tests of what keeps a step from running."""

import shutil
from pathlib import Path

from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs, StepSpec
from vmeet_core.pipeline.trouble import trouble
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.settings import Pipeline

LIMITS = Limits.of(Pipeline(gpu=0))


def found(folder: Path, needs: Needs | None = None) -> str | None:
    files = {"segments/a.mkv": "1:ab"}
    spec = StepSpec(name="a", title="A", function="f", version=1, files=files, needs=needs or Needs())
    step = Step(spec, key="a")
    return trouble(Job("j", "r", folder, ProcessRequest(), 0.0, [step]), step, LIMITS)


def test_what_lacks_is_named_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    (folder / "segments").mkdir(parents=True)
    (folder / "segments" / "a.mkv").touch()
    assert found(folder) is None
    assert found(folder, Needs(gpu=1)) == "it needs 1 GPU, and pipeline.gpu allows 0"
    (folder / "segments" / "a.mkv").unlink()
    assert found(folder) == f"segments/a.mkv is gone from {folder}: put it back and try again"
    shutil.rmtree(folder)
    assert str(folder) in (found(folder) or "")
    assert "gone" in (found(folder) or "")
    assert not folder.exists()
