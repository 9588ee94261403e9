"""Tests of the state of jobs."""

from pathlib import Path

from vmeet_core.pipeline.job import LOG_LINES, TAIL_LINES, Job, Log, Step
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.pipeline.views import ProcessRequest


def step(name: str, *reads: str) -> Step:
    spec = StepSpec(
        name=name,
        title=name.title(),
        function="f",
        version=1,
        inputs={read: read for read in reads},
        outputs={"out": Output(result=name, file=name)},
    )
    return Step(spec, key=name)


def job(folder: Path, *steps: Step) -> Job:
    return Job("j", "r", folder, ProcessRequest(), 0.0, list(steps))


def finish(*steps: Step) -> None:
    for one in steps:
        one.state, one.outputs = "done", {"out": f"results/j/{one.spec.name}"}


def test_a_step_is_ready_when_all_that_it_reads_is_there(tmp_path: Path) -> None:
    a, b, c = step("a"), step("b"), step("c", "a", "b")
    diamond = job(tmp_path, a, b, c)
    assert diamond.ready(0) == [a, b]
    finish(a)
    assert diamond.ready(0) == [b]
    finish(b)
    assert diamond.ready(0) == [c]
    finish(c)
    diamond.settle()
    assert diamond.state == "done"


def test_a_failure_stops_only_what_depends_on_it(tmp_path: Path) -> None:
    a, b, c, d = step("a"), step("b"), step("c", "a"), step("d", "b")
    forked = job(tmp_path, a, b, c, d)
    a.state = "failed"
    finish(b)
    forked.settle()
    assert (forked.state, forked.ready(0)) == ("running", [d])
    finish(d)
    forked.settle()
    assert (forked.state, c.state) == ("failed", "queued")


def test_a_step_waits_for_its_time(tmp_path: Path) -> None:
    a = step("a")
    waiting = job(tmp_path, a)
    a.not_before_s = 5.0
    waiting.settle()
    assert (waiting.ready(4.9), waiting.ready(5.0), waiting.state) == ([], [a], "running")


def test_a_retry_runs_what_is_not_done_or_gone(tmp_path: Path) -> None:
    a, b, c = step("a"), step("b"), step("c")
    failed = job(tmp_path, a, b, c)
    finish(a, b)
    (tmp_path / "results" / "j").mkdir(parents=True)
    (tmp_path / "results" / "j" / "a").touch()
    c.state, c.error, c.attempts, failed.state = "failed", "boom", 3, "failed"
    failed.retry()
    assert [one.state for one in (a, b, c)] == ["done", "queued", "queued"]
    assert (c.error, c.attempts, failed.state) == (None, 0, "queued")


def test_a_cancelled_job_keeps_what_is_done(tmp_path: Path) -> None:
    a, b, c = step("a"), step("b"), step("c")
    cancelled = job(tmp_path, a, b, c)
    finish(a)
    b.state = "running"
    cancelled.cancel()
    cancelled.settle()
    assert [one.state for one in (a, b, c)] == ["done", "cancelled", "cancelled"]
    assert cancelled.state == "cancelled"


def test_the_view_hides_what_only_steps_read(tmp_path: Path) -> None:
    picture, video = step("picture"), step("video", "picture")
    both = job(tmp_path, picture, video)
    finish(picture, video)
    assert both.view().results == {"video": "results/j/video"}
    assert [one.name for one in both.view().steps] == ["picture", "video"]


def test_a_log_is_bounded_and_keeps_the_end() -> None:
    log = Log()
    for number in range(LOG_LINES * 2):
        log.add(f"line {number}\n")
    log.add("   \n")
    log.add("10 %\r20 %\r30 %")
    log.add("x" * 100_000)
    assert len(log.tail()) == TAIL_LINES
    assert log.tail()[-2] == "30 %"
    assert len(log.tail()[-1]) < 1000
