"""The state of a job and its steps, without I/O: what is ready, what it all amounts to, what is shown."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vmeet_core.pipeline.graph import PREPARE, is_hidden
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import Cost, JobView, Priority, ProcessRequest, State, StepView

LOG_LINES, TAIL_LINES, LINE_CHARS = 200, 40, 500


class Log:
    """The last lines that a step wrote; bounded."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self.added = 0  #: since then
        self._lines = deque(lines or [], maxlen=LOG_LINES)

    def add(self, line: str) -> None:
        line = line.rsplit("\r", 1)[-1].rstrip()  # of a progress bar, what it shows last
        if line:
            self._lines.append(line[:LINE_CHARS])
            self.added += 1

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

    @property
    def shown_as(self) -> str:
        """The name of what it is shown as, perhaps together with others."""
        return self.spec.group or self.spec.name

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

    @property
    def is_ahead(self) -> bool:
        """Whether its recording still runs, so that there may always be more to do."""
        return self.priority == "ahead"

    def has(self, step: Step) -> bool:
        """Whether it is still one of its steps: the graph may have changed."""
        return any(each is step for each in self.steps)

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
        if self.is_ahead:  # neither the last step so far nor a failure is its end
            self.state = "running"
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

    def finish(self, first: Step, request: ProcessRequest) -> None:
        """Of a recording that has ended: from now on it is one like others, which begins with ``first``, and what
        failed before does not count.
        """
        self.steps[0], self.request = first, request
        for step in self.steps[1:]:
            if step.state not in ("done", "running"):
                step.reset()
            step.attempts = 0

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
            steps=[self._shown(steps) for steps in self._groups()],
            results={name: path for name, path in self.results().items() if not is_hidden(name)},
            name=self.name,
            priority=self.priority,
            cost=_cost(self.steps),
        )

    def _groups(self) -> list[list[Step]]:
        """Steps that are shown as one, each where its first one is."""
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.shown_as, []).append(step)
        return [*found.values()]

    def _shown(self, steps: list[Step]) -> StepView:
        shown = _merged(steps, self.is_active) if steps[0].spec.group else steps[0].view()
        if not self.is_ahead:
            return shown
        # What fails while the recording runs is tried again at its end: until then it is nobody's business.
        state: State = "queued" if shown.state == "failed" else shown.state
        return shown.model_copy(update={"state": state, "error": None, "attempts": 0, "retry_in_s": None})


def _cost(steps: Iterable[Step]) -> Cost:
    steps = list(steps)
    walls = [step.seconds for step in steps if step.seconds is not None]
    cpus = [step.cpu_s for step in steps if step.cpu_s is not None]
    peaks = [step.peak_memory_bytes for step in steps if step.peak_memory_bytes is not None]
    return Cost(
        wall_s=round(sum(walls), 3) if walls else None,
        cpu_s=round(sum(cpus), 3) if cpus else None,
        peak_memory_bytes=max(peaks, default=None),
    )


def _merged(steps: list[Step], job_is_active: bool) -> StepView:
    """Steps of one group as one."""
    state, now_s = _state_of(steps, job_is_active), time.time()
    cost = _cost(steps)
    waits = [wait_s for step in steps if (wait_s := step.retry_in_s(now_s)) is not None]
    return StepView(
        name=steps[0].shown_as,
        title=steps[0].spec.group_title or steps[0].spec.title,
        state=state,
        progress=round(sum(step.progress for step in steps) / len(steps), 4),
        seconds=cost.wall_s,
        error=next((step.error for step in steps if step.error), None),
        log_tail=_latest(steps).log.tail(),
        cost=cost,
        attempts=max(step.attempts for step in steps),
        retry_in_s=min(waits, default=None) if state == "queued" else None,
        parts=len(steps),
        parts_done=sum(step.state == "done" for step in steps),
    )


def _state_of(steps: list[Step], job_is_active: bool) -> State:
    """Of several steps together: that one failed is their state when nothing is left to do, or nobody will."""
    states = {step.state for step in steps}
    if "failed" in states and not ("queued" in states and job_is_active):
        order: tuple[State, ...] = ("running", "failed", "cancelled", "queued")
    else:
        order = ("running", "cancelled", "queued", "failed")
    return next((state for state in order if state in states), "done")


def _latest(steps: list[Step]) -> Step:
    """The one whose log tells most of what goes on."""
    for state in ("running", "failed"):
        if found := [step for step in steps if step.state == state]:
            return found[-1]
    return next((step for step in reversed(steps) if step.log.added or step.log.tail()), steps[-1])
