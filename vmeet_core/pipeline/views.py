"""What the pipeline is asked for and what it shows: plain data for the server and the page."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmeet_core.settings import Language, LayoutName, Numbers, Script, SpeechSource

FilesWanted = Literal["meeting", "per-person"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
#: ``fresh``: a meeting that has just ended; ``ahead``: one that still runs; ``later``: whatever can wait; ``front``:
#: moved there by hand.
Priority = Literal["front", "fresh", "ahead", "later"]


class ProcessRequest(BaseModel):
    """``denoiser`` and ``transcriber`` are providers' names, None for none; ``options`` holds the options of each
    provider by its name.

    ``language`` (BCP 47, or "auto") is what is spoken, ``script`` how Chinese is written, and ``numbers``, in
    transcripts; ``transcribe_from`` "denoised" has the sound transcribed as the denoiser left it.

    ``layout`` None is the settings' own; ``files`` "per-person" adds files of each person to those of the meeting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    denoiser: str | None = None
    transcriber: str | None = None
    language: Language = "auto"
    script: Script = "traditional-tw"
    numbers: Numbers = "as-spoken"
    transcribe_from: SpeechSource = "original"
    options: dict[str, dict[str, Any]] = {}
    title: str = ""
    layout: LayoutName | None = None
    files: FilesWanted = "meeting"


class Cost(BaseModel):
    """What the process of a step took: of all its tries the last one; of a job's steps the sums, and the highest peak.

    None: not known (yet).
    """

    wall_s: float | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None


class StepView(BaseModel):
    """One step as the page shows it, or all steps of a group. ``seconds`` is how long its process ran; ``log_tail`` its
    last lines.

    ``attempts`` is how often it failed so far; ``retry_in_s`` is set while it waits for another try. ``parts`` is how
    many steps the group has, 0 for a step of its own, ``parts_done`` how many of them are done.
    """

    name: str
    title: str
    state: State
    progress: float
    seconds: float | None
    error: str | None
    log_tail: list[str]
    cost: Cost = Cost()
    attempts: int = 0
    retry_in_s: float | None = None
    parts: int = 0
    parts_done: int = 0


class JobView(BaseModel):
    """A job as the page shows it. ``results`` maps result names to paths relative to the recording's folder.

    ``name`` is what the user calls what comes of it, if anything.
    """

    id: str
    recording_id: str
    state: State
    created_at_s: float
    request: ProcessRequest
    steps: list[StepView]
    results: dict[str, str]
    name: str = ""
    priority: Priority = "fresh"
    cost: Cost = Cost()
