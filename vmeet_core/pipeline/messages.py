"""What passes between the server and the process of a step: one JSON object a line, over stdin and stdout."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.settings import Settings

NICENESS = 10  #: of the process of every step: meetings come first


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Order(_Message):
    """The one line that the process gets. Paths are absolute; while stdin stays open, the server lives.

    ``background``: a meeting still runs, and must not suffer at all.
    """

    function: str
    folder: Path
    params: dict[str, Any]
    inputs: dict[str, Path]
    outputs: dict[str, Path]
    temp_dir: Path
    settings: Settings
    threads: int
    parent_pid: int
    background: bool = False


class Report(_Message):
    """What the process says. Only ``failed`` has a message and the two after it, only the last report what it took.

    ``crashed``: the fault may not be the step's own, so that it is worth another try.
    """

    kind: Literal["progress", "done", "failed"]
    progress: float = 0.0
    message: str = ""
    retry_after_s: float | None = None
    crashed: bool = False
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
