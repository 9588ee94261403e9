"""The benchmark of the search, on a little material: what it prints, and that it finds what it made."""

import json
import subprocess
import sys
from pathlib import Path

from postgresql_server import programs

SCRIPT = Path(__file__).parents[1] / "benchmarks/search.py"


def test_it_measures_every_database_that_there_is() -> None:
    command = [sys.executable, str(SCRIPT), "--recordings", "3", "--phrases", "60", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    kinds = {"sqlite", "postgresql"} if programs() else {"sqlite"}
    assert set(figures) - {"recordings", "phrases"} == kinds
    for kind in kinds:
        measured = figures[kind]
        assert measured["search_ms"] == max(measured["queries_ms"].values()) > 0
        assert measured["list_ms"] > 0
        assert measured["found"]["早安"] == measured["found"]["王小明 早安"] == 3
        assert measured["found"]["量子糾纏"] == 1
    assert len({json.dumps(figures[kind]["found"]) for kind in kinds}) == 1
