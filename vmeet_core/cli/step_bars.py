"""A progress bar for each step of a job, on stderr."""

import sys

from tqdm import tqdm  # type: ignore[import-untyped]

from vmeet_core.pipeline.views import JobView, StepView

_FORMAT = "{desc:<32.32} {percentage:3.0f}%|{bar}| {elapsed}"


class StepBars:
    """Draws what ``show`` is given; without a terminal, a line for each step that ends."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bars: dict[str, tqdm] = {}
        self._ended: set[str] = set()

    def show(self, job: JobView) -> None:
        for step in job.steps:
            if step.state == "queued" or step.name in self._ended:
                continue
            if sys.stderr.isatty():
                self._draw(step)
            if step.state != "running":
                self._ended.add(step.name)
                self._end(step)

    def close(self) -> None:
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()

    def _draw(self, step: StepView) -> None:
        bar = self._bars.get(step.name)
        if bar is None:
            bar = self._bars[step.name] = tqdm(total=1.0, desc=step.title, bar_format=_FORMAT, file=sys.stderr)
        bar.n = step.progress
        bar.refresh()

    def _end(self, step: StepView) -> None:
        if not sys.stderr.isatty():
            seconds = f"{step.seconds:.1f} s" if step.seconds else "done before"
            print(f"{self._title}: {step.title}: {step.state} ({seconds})", file=sys.stderr)
