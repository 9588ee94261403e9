"""What passes between the server and a worker of a cluster, as JSON. No secret of the server is in it."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.settings import Video


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shared(_Message):
    """The worker sees the server's folders. ``folder`` is the recording's, ``results`` this try's; all are absolute."""

    folder: Path
    results: Path
    inputs: dict[str, Path]


class Exchanged(_Message):
    """The worker copies what it needs from an area, and its outputs to it. Names are relative to ``url``.

    ``files`` maps each path as the step knows it (relative to the recording's folder, or absolute) to a name.
    """

    url: str
    inputs: dict[str, str]
    files: dict[str, str]
    results: str


class RemoteOrder(_Message):
    """One try of a step. ``outputs`` maps roles to file names; ``task`` is the try's own name.

    Of the server's settings the worker gets ``video``, ``device`` and ``allow_leaving_host``; all others that the step
    reads (model files, tables of plugins) are those of the worker's machine.
    """

    task: str
    function: str
    params: dict[str, Any]
    outputs: dict[str, str]
    place: Shared | Exchanged
    plugin: PluginUse | None
    threads: int
    memory_bytes: int
    video: Video
    device: Literal["cpu", "cuda"]
    allow_leaving_host: tuple[str, ...]


class RemoteReport(_Message):
    """What a worker says of a try: that it has begun, what is new, and how it ended (as Report)."""

    task: str
    kind: Literal["started", "news", "done", "failed"]
    progress: float | None = None
    lines: tuple[str, ...] = ()
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    message: str = ""
    retry_after_s: float | None = None
    crashed: bool = False
    no_room: bool = False
