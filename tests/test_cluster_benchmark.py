"""The benchmark of the cluster: one worker, two, and two of which one is killed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "cluster.py"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found and killed by proc(5)")
@pytest.mark.timeout(900)
def test_one_and_two_workers_are_timed_and_a_killed_one_loses_nothing(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
    arguments = ["--minutes", "0.05", "--denoiser", "none", "--camera", "64x36", "--kill", "--work", str(tmp_path)]
    command = [sys.executable, str(BENCHMARK), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=880, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["killed_lost"] == 0
    assert "killed the worker" in done.stderr
    assert done.stderr.count("tries that failed: 1") == 1
    assert found["speedup"] == pytest.approx(found["one_worker_s"] / found["two_workers_s"], rel=0.05)
    assert not list(tmp_path.iterdir())
