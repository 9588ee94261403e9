"""What a worker tells the server of a step, a few times a second and never more than it can carry."""

from collections.abc import Callable

from vmeet_core.pipeline.executors.remote_messages import RemoteReport
from vmeet_core.pipeline.process import Listener, StepFailed

MAX_CHARS = 16_000  #: of the log, in one report; what is written faster is left out
LINE_CHARS = 2_000


class Voice(Listener):
    """Collects, until ``flush`` sends what is new."""

    def __init__(self, task: str, send: Callable[[str], None]) -> None:
        self._task, self._send = task, send
        self._lines: list[str] = []
        self._chars = self._left_out = 0
        self._progress: float | None = None
        self._usage: tuple[float, int] | None = None

    def progress(self, share: float) -> None:
        self._progress = share

    def log(self, line: str) -> None:
        line = line.rsplit("\r", 1)[-1][:LINE_CHARS]
        if self._chars + len(line) > MAX_CHARS:
            self._left_out += 1
        elif line:
            self._lines.append(line)
            self._chars += len(line) + 1

    def usage(self, cpu_s: float, peak_memory_bytes: int) -> None:
        self._usage = cpu_s, peak_memory_bytes

    @property
    def has_news(self) -> bool:
        return bool(self._lines) or self._progress is not None

    def begun(self) -> None:
        self._say(RemoteReport(task=self._task, kind="started"))

    def flush(self) -> None:
        self._say(self._told(RemoteReport(task=self._task, kind="news")))

    def done(self) -> None:
        self._say(self._told(RemoteReport(task=self._task, kind="done")))

    def failed(self, error: StepFailed) -> None:
        report = RemoteReport(
            task=self._task,
            kind="failed",
            message=str(error)[:MAX_CHARS],
            retry_after_s=error.retry_after_s,
            crashed=error.crashed,
            no_room=error.no_room,
        )
        self._say(self._told(report))

    def _told(self, report: RemoteReport) -> RemoteReport:
        if self._left_out:
            self._lines.append(f"... {self._left_out} lines came too fast and are left out here")
        cpu_s, peak_memory_bytes = self._usage or (None, None)
        told = report.model_copy(
            update={
                "lines": tuple(self._lines),
                "progress": self._progress,
                "cpu_s": cpu_s,
                "peak_memory_bytes": peak_memory_bytes,
            }
        )
        self._lines, self._progress, self._chars, self._left_out = [], None, 0, 0
        return told

    def _say(self, report: RemoteReport) -> None:
        self._send(report.model_dump_json(exclude_defaults=True))
