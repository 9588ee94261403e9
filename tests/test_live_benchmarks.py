"""The benchmarks of live filters run end to end and print what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(name: str, *arguments: str) -> dict[str, Any]:
    """Its JSON."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_admission_is_measured() -> None:
    found = run("admission.py", "--workers", "1", "--publishers", "1,8", "--seconds", "1")
    assert found["filter"] == "brightness"
    alone, crowd = found["publishers"]["1"], found["publishers"]["8"]
    assert [each["fps"] > 1 for each in alone["tracks"]] == [True]
    assert 0 < alone["cost"][1] < alone["cost"][0]
    assert len(crowd["tracks"]) == 8
    assert crowd["tracks"][0]["state"] != "refused"
    assert crowd["used"] > alone["used"]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is told by Linux alone")
def test_memory_is_measured() -> None:
    found = run("live_memory.py", "--minutes", "0.15")
    assert (found["filter"], found["lost"]) == ("brightness", 0)
    assert found["tracks"] >= 1
    assert found["video_minutes"] >= 0
    assert 20 < found["uss_settled_mb"] < found["rss_settled_mb"] < 2000
