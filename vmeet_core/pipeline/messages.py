"""What passes between the server and the process of a step: one JSON object a line, over stdin and stdout."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.settings import Settings

NICENESS = 10  #: of the process of every step, or more: meetings come first
#: What is shown of a step that found no room; how it goes on, its next try says.
NO_ROOM = "the disk is full (No space left on device): make room, for example by deleting recordings"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Order(_Message):
    """The one line that the process gets. Paths are absolute; while stdin stays open, the server lives.

    ``background``: a meeting still runs, and must not suffer at all. ``plugin`` is what must be installed: given where
    that is another machine than the server's.
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
    niceness: int = NICENESS
    plugin: PluginUse | None = None


class Report(_Message):
    """What the process says. Only ``failed`` has a message and the two after it, only the last report what it took.

    ``crashed``: the fault may not be the step's own, so that it is worth another try. ``no_room``: the disk is full.
    """

    kind: Literal["progress", "done", "failed"]
    progress: float = 0.0
    message: str = ""
    retry_after_s: float | None = None
    crashed: bool = False
    no_room: bool = False
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
