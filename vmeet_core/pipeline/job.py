"""The state of a job and its steps, without I/O: what is ready, what it all amounts to, what is shown."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vmeet_core.pipeline.graph import PREPARE, is_hidden
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import Cost, JobView, Priority, ProcessRequest, State, StepView

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
    not_before_s: float = 0.0  #: since the epoch: it outlives the server
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None

    def results(self) -> Iterator[tuple[str, str]]:
        for role, path in self.outputs.items():
            yield self.spec.outputs[role].result, path

    def reset(self) -> None:
        """To run it (again), as if it had never failed."""
        self.state, self.progress, self.error = "queued", 0.0, None
        self.seconds = self.cpu_s = self.peak_memory_bytes = None
        self.outputs, self.attempts, self.not_before_s = {}, 0, 0.0

    def requeue(self) -> None:
        """To run it again; what it failed at before still counts."""
        self.state, self.progress = "queued", 0.0

    def is_there(self, folder: Path) -> bool:
        """Whether it is done and nobody has deleted what it made."""
        return self.state == "done" and all((folder / path).is_file() for path in self.outputs.values())

    def retry_in_s(self, now_s: float) -> float | None:
        """None when it does not wait for another try."""
        return max(0.0, self.not_before_s - now_s) if self.state == "queued" and self.attempts else None

    def view(self) -> StepView:
        return StepView(
            name=self.spec.name,
            title=self.spec.title,
            state=self.state,
            progress=round(self.progress, 4),
            seconds=self.seconds,
            error=self.error,
            log_tail=self.log.tail(),
            cost=Cost(wall_s=self.seconds, cpu_s=self.cpu_s, peak_memory_bytes=self.peak_memory_bytes),
            attempts=self.attempts,
            retry_in_s=self.retry_in_s(time.time()),
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
    name: str = ""
    priority: Priority = "fresh"
    queued_at_s: float = 0.0  #: since when it waits: since it was asked for, or for again
    moved_at_s: float | None = None  #: to the front, by hand

    @property
    def is_active(self) -> bool:
        return self.state in ("queued", "running")

    def results(self) -> dict[str, str]:
        """What is there so far, also what only other steps read: result → path relative to the recording's folder."""
        return {name: path for step in self.steps if step.state == "done" for name, path in step.results()}

    def ready(self, now_s: float) -> list[Step]:
        """Queued steps whose inputs are all there, and whose time has come; what to do at all, the first one says."""
        there = self.results()
        undecided = self.steps and self.steps[0].spec.name == PREPARE and self.steps[0].state != "done"
        return [
            step
            for step in (self.steps[:1] if undecided else self.steps)
            if step.state == "queued"
            and step.not_before_s <= now_s
            and all(result in there for result in step.spec.inputs.values())
        ]

    def lost(self, step: Step) -> list[Step]:
        """Those whose results the step reads, but somebody has deleted."""
        read = set(step.spec.inputs.values())
        return [
            other
            for other in self.steps
            if other.state == "done"
            and any(result in read and not (self.folder / path).is_file() for result, path in other.results())
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
        """Everything that is not done is to be run, and whatever somebody has deleted of what is shown or read."""
        self.state = "queued"
        wanted: set[str] = set()
        for step in reversed(self.steps):
            made = {output.result for output in step.spec.outputs.values()}
            is_shown = any(not is_hidden(result) for result in made)
            if not step.is_there(self.folder) and (step.state != "done" or is_shown or made & wanted):
                step.reset()
                wanted |= set(step.spec.inputs.values())

    def view(self) -> JobView:
        return JobView(
            id=self.id,
            recording_id=self.recording_id,
            state=self.state,
            created_at_s=self.created_at_s,
            request=self.request,
            steps=[step.view() for step in self.steps],
            results={name: path for name, path in self.results().items() if not is_hidden(name)},
            name=self.name,
            priority=self.priority,
            cost=self._cost(),
        )

    def _cost(self) -> Cost:
        walls = [step.seconds for step in self.steps if step.seconds is not None]
        cpus = [step.cpu_s for step in self.steps if step.cpu_s is not None]
        peaks = [step.peak_memory_bytes for step in self.steps if step.peak_memory_bytes is not None]
        return Cost(
            wall_s=round(sum(walls), 3) if walls else None,
            cpu_s=round(sum(cpus), 3) if cpus else None,
            peak_memory_bytes=max(peaks, default=None),
        )
