"""Which step is next: the order among all that could run now."""

from collections.abc import Iterable

from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.messages import NICENESS
from vmeet_core.pipeline.plan import niceness
from vmeet_core.pipeline.spec import StepSpec

PATIENCE_S = 3600.0  #: who has waited for so long waits behind nobody who came later

_FRONT, _FRESH, _AHEAD, _LATER = range(4)


def waiting(jobs: Iterable[Job], now_s: float) -> list[tuple[Job, Step]]:
    """What is ready, the most urgent first. ``now_s`` is since the epoch."""
    ready = [(job, step) for job in jobs for step in job.ready(now_s)]
    return sorted(ready, key=lambda each: _urgency(each[0], each[1], now_s))


def next_time_s(jobs: Iterable[Job], now_s: float) -> float | None:
    """When the next step's back-off is over; None when none waits for its time."""
    times = (step.not_before_s for job in jobs for step in job.steps if step.state == "queued")
    return min((time_s for time_s in times if time_s > now_s), default=None)


def is_behind(spec: StepSpec) -> bool:
    """Whether others come before it, though it may run beside them: sound and speech before pictures and extras."""
    return niceness(spec) > NICENESS


def room_behind(jobs: Iterable[Job], workers: int) -> int:
    """How many steps may run that come behind others: one of three while any of those is still to be done, since
    pictures are ready first, take longest, and would leave no room for what people wait for.
    """
    is_waited_for = any(
        step.state in ("queued", "running") and not is_behind(step.spec)
        for job in jobs
        if not job.is_ahead
        for step in job.steps
    )
    return max(1, workers - 2) if is_waited_for else workers


def _urgency(job: Job, step: Step, now_s: float) -> tuple[int, float, float]:
    """Small is urgent. By hand first; then meetings that have just ended, then those that still run; in each what
    playing needs before extras.
    """
    if job.priority == "front":
        return _FRONT, -(job.moved_at_s or 0.0), step.spec.extra
    patient = now_s - job.queued_at_s < PATIENCE_S
    if job.is_ahead:
        return _AHEAD, step.spec.extra, job.queued_at_s
    rank = _LATER if job.priority == "later" and patient else _FRESH
    return rank, step.spec.extra and patient, job.queued_at_s
