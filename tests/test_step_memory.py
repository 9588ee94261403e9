"""The benchmark of the pipeline's memory runs every step of a real job and tells what each held."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "step_memory.py"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is told by Linux alone")
@pytest.mark.timeout(600)
def test_every_step_is_measured(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
    arguments = ["--minutes", "0.03", "0.06", "--fps", "15", "--work", str(tmp_path)]
    command = [sys.executable, str(BENCHMARK), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    steps = found["steps"]
    assert set(steps) == {
        *("prepare", "audio", "voices", "layout", "mix", "join:video", "thumbnail", "captions", "chapters")
    }
    for lengths in steps.values():
        assert set(lengths) == {"0.03", "0.06"}
        assert all(20 < told["base_mb"] < 500 and told["over_base_mb"] >= 0 for told in lengths.values())
    worst_mb = max(told["over_base_mb"] for lengths in steps.values() for told in lengths.values())
    assert found["worst_mb"] == worst_mb
    assert 20 < worst_mb < 600
    assert not list(tmp_path.iterdir())
