"""Steps that workers of a cluster run in tests."""

import os
import sys
import time
from pathlib import Path
from typing import Any


def copy(work: Any) -> None:
    """What it reads, with what the worker's machine says."""
    work.progress(0.5)
    print("copied here", file=sys.stderr)
    texts = [path.read_text() for path in work.inputs.values()]
    texts += [(work.folder / file).read_text() for file in work.params.get("files", [])]
    work.outputs["out"].write_text("".join(texts))


def settings(work: Any) -> None:
    """The settings that it was given."""
    work.outputs["out"].write_text(work.settings.model_dump_json())


def wait(work: Any) -> None:
    """Until there is ``go`` in the folder ``traces``; each run leaves a line in ``runs``."""
    traces = Path(work.params["traces"])
    with (traces / "runs").open("a") as runs:
        runs.write(f"{os.getpid()} {os.getppid()}\n")
    (traces / "started").touch()
    while not (traces / "go").exists():
        time.sleep(0.02)
    work.outputs["out"].write_text("waited")


def fault(work: Any) -> None:
    """A segmentation fault, in the process of the step alone."""
    import faulthandler

    faulthandler._sigsegv()  # type: ignore[attr-defined]


def chatter(work: Any) -> None:
    """Writes faster than anybody reads."""
    for number in range(20_000):
        print("line", number, "x" * 80)
    work.outputs["out"].touch()
