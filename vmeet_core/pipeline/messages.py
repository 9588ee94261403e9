"""What passes between the server and the process of a step: one JSON object a line, over stdin and stdout."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.settings import Settings


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Order(_Message):
    """The one line that the process gets. Paths are absolute; while stdin stays open, the server lives.

    ``plugin`` is what must be installed: given where that is another machine than the server's.
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
    plugin: PluginUse | None = None


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
