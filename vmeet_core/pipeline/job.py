"""The state of a job and its steps, without I/O: what is ready, what it all amounts to, what is shown."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vmeet_core.pipeline.graph import is_hidden
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import JobView, ProcessRequest, State, StepView

LOG_LINES, TAIL_LINES, LINE_CHARS = 200, 40, 500


class Log:
    """The last lines that a step wrote; bounded."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self._lines = deque(lines or [], maxlen=LOG_LINES)

    def add(self, line: str) -> None:
        line = line.rsplit("\r", 1)[-1].rstrip()  # of a progress bar, what it shows last
        if line:
            self._lines.append(line[:LINE_CHARS])

    def tail(self) -> list[str]:
        return list(self._lines)[-TAIL_LINES:]


@dataclass
class Step:
    """``outputs`` (role → path relative to the recording's folder) may lie in the folder of an earlier job."""

    spec: StepSpec
    key: str
    state: State = "queued"
    progress: float = 0.0
    seconds: float | None = None
    error: str | None = None
    log: Log = field(default_factory=Log)
    outputs: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    not_before_s: float = 0.0  #: on the event loop's clock

    def results(self) -> Iterator[tuple[str, str]]:
        for role, path in self.outputs.items():
            yield self.spec.outputs[role].result, path

    def reset(self) -> None:
        """To run it (again)."""
        self.state, self.progress, self.seconds, self.error = "queued", 0.0, None, None
        self.outputs, self.attempts, self.not_before_s = {}, 0, 0.0

    def view(self) -> StepView:
        return StepView(
            name=self.spec.name,
            title=self.spec.title,
            state=self.state,
            progress=round(self.progress, 4),
            seconds=self.seconds,
            error=self.error,
            log_tail=self.log.tail(),
        )


@dataclass
class Job:
    """One request on one recording, and its steps in an order in which they could run one by one."""

    id: str
    recording_id: str
    folder: Path
    request: ProcessRequest
    created_at_s: float
    steps: list[Step]
    state: State = "queued"

    @property
    def is_active(self) -> bool:
        return self.state in ("queued", "running")

    def results(self) -> dict[str, str]:
        """What is there so far, also what only other steps read: result → path relative to the recording's folder."""
        return {name: path for step in self.steps if step.state == "done" for name, path in step.results()}

    def ready(self, now_s: float) -> list[Step]:
        """Queued steps whose inputs are all there, and whose time has come."""
        there = self.results()
        return [
            step
            for step in self.steps
            if step.state == "queued"
            and step.not_before_s <= now_s
            and all(result in there for result in step.spec.inputs.values())
        ]

    def settle(self) -> None:
        """Work out the job's state; a failed step stops only what depends on it, then the job has failed."""
        if not self.is_active:
            return
        states = {step.state for step in self.steps}
        waiting = self.ready(float("inf"))
        if states == {"done"}:
            self.state = "done"
        elif "running" in states or waiting:
            self.state = "running"
        elif "failed" in states:
            self.state = "failed"

    def cancel(self) -> None:
        self.state = "cancelled"
        for step in self.steps:
            if step.state in ("queued", "running"):
                step.state = "cancelled"

    def retry(self) -> None:
        """Everything that is not done is to be run."""
        self.state = "queued"
        for step in self.steps:
            gone = any(not (self.folder / path).is_file() for path in step.outputs.values())
            if step.state != "done" or gone:
                step.reset()

    def view(self) -> JobView:
        return JobView(
            id=self.id,
            recording_id=self.recording_id,
            state=self.state,
            created_at_s=self.created_at_s,
            request=self.request,
            steps=[step.view() for step in self.steps],
            results={name: path for name, path in self.results().items() if not is_hidden(name)},
        )
