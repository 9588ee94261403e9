"""What the pipeline is asked for and what it shows: plain data for the server and the page."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.settings import LayoutName

FilesWanted = Literal["meeting", "per-person"]
State = Literal["queued", "running", "done", "failed", "cancelled"]


class ProcessRequest(BaseModel):
    """``denoiser`` is a provider's name, None for none; ``options`` holds the options of each provider by its name.

    ``layout`` None is the settings' own; ``files`` "per-person" adds files of each person to those of the meeting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    denoiser: str | None = None
    options: dict[str, dict[str, Any]] = {}
    title: str = ""
    layout: LayoutName | None = None
    files: FilesWanted = "meeting"


class StepView(BaseModel):
    """One step as the page shows it. ``seconds`` is how long its process ran; ``log_tail`` its last lines."""

    name: str
    title: str
    state: State
    progress: float
    seconds: float | None
    error: str | None
    log_tail: list[str]


class JobView(BaseModel):
    """A job as the page shows it. ``results`` maps result names to paths relative to the recording's folder."""

    id: str
    recording_id: str
    state: State
    created_at_s: float
    request: ProcessRequest
    steps: list[StepView]
    results: dict[str, str]
