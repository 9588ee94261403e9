"""Tests of the state of jobs."""

import time
from pathlib import Path

import pytest

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


def on_disk(folder: Path, *steps: Step) -> None:
    finish(*steps)
    (folder / "results" / "j").mkdir(parents=True, exist_ok=True)
    for one in steps:
        (folder / "results" / "j" / one.spec.name).touch()


def test_a_retry_makes_again_what_was_deleted_and_what_that_is_made_of(tmp_path: Path) -> None:
    picture, sound, video, other = step("picture"), step("sound"), step("video", "picture", "sound"), step("other")
    done = job(tmp_path, picture, sound, video, other)
    on_disk(tmp_path, picture, sound, video, other)
    done.state = "done"
    (tmp_path / "results/j/picture").unlink()
    done.retry()
    assert {one.state for one in done.steps} == {"done"}  # nobody sees the picture, and nobody reads it
    (tmp_path / "results/j/video").unlink()
    done.retry()
    assert [one.state for one in (picture, sound, video, other)] == ["queued", "done", "queued", "done"]


def test_who_made_what_a_step_reads_and_is_gone_is_known(tmp_path: Path) -> None:
    a, b, c = step("a"), step("b"), step("c", "a", "b")
    diamond = job(tmp_path, a, b, c)
    on_disk(tmp_path, a, b)
    assert diamond.lost(c) == []
    (tmp_path / "results/j/b").unlink()
    assert diamond.lost(c) == [b]


def test_until_the_first_step_has_said_what_to_do_nothing_else_is_done(tmp_path: Path) -> None:
    prepare, sound = step("prepare"), step("sound")
    again = job(tmp_path, prepare, sound)
    assert again.ready(0) == [prepare]
    finish(prepare)
    assert again.ready(0) == [sound]


def test_a_step_that_waits_for_another_try_says_how_long(tmp_path: Path) -> None:
    a = step("a")
    a.not_before_s = time.time() + 30
    assert a.view().retry_in_s is None  # it has not failed yet
    a.attempts = 1
    assert 20 < (a.view().retry_in_s or 0) <= 30
    a.requeue()
    assert a.attempts == 1
    a.reset()
    assert (a.attempts, a.view().retry_in_s) == (0, None)


def test_the_cost_of_a_job_is_that_of_its_steps(tmp_path: Path) -> None:
    a, b, c = step("a"), step("b"), step("c")
    assert job(tmp_path, a).view().cost.wall_s is None
    a.seconds, a.cpu_s, a.peak_memory_bytes = 1.5, 2.0, 300
    b.seconds, b.cpu_s, b.peak_memory_bytes = 0.5, 0.25, 200
    cost = job(tmp_path, a, b, c).view().cost
    assert (cost.wall_s, cost.cpu_s, cost.peak_memory_bytes) == pytest.approx((2.0, 2.25, 300))


def parts(*states: str) -> list[Step]:
    """Of one group."""
    made = []
    for number, state in enumerate(states):
        one = step(f"layout:{number}")
        one.spec = one.spec.model_copy(update={"group": "layout", "group_title": "Layout and encode"})
        one.state = state  # type: ignore[assignment]
        one.progress = 1.0 if state == "done" else 0.0
        made.append(one)
    return made


@pytest.mark.parametrize(
    ("states", "job_state", "shown"),
    [
        (("done", "running", "queued"), "running", "running"),
        (("done", "queued"), "running", "queued"),
        (("done", "done"), "running", "done"),
        (("failed", "queued"), "running", "queued"),
        (("failed", "queued"), "failed", "failed"),
        (("failed", "done"), "running", "failed"),
        (("failed", "running"), "running", "running"),
        (("done", "cancelled"), "cancelled", "cancelled"),
        (("failed", "cancelled"), "cancelled", "failed"),
    ],
)
def test_parts_are_shown_as_one(tmp_path: Path, states: tuple[str, ...], job_state: str, shown: str) -> None:
    first, last = step("prepare"), step("join")
    whole = job(tmp_path, first, *parts(*states), last)
    whole.state = job_state  # type: ignore[assignment]
    views = whole.view().steps
    assert [view.name for view in views] == ["prepare", "layout", "join"]
    assert (views[1].title, views[1].state) == ("Layout and encode", shown)
    assert (views[1].parts, views[1].parts_done) == (len(states), states.count("done"))
    assert views[1].progress == pytest.approx(states.count("done") / len(states), abs=1e-4)
    assert (views[0].parts, views[0].parts_done) == (0, 0)


def test_parts_are_shown_with_what_they_took_together(tmp_path: Path) -> None:
    one, two, three = parts("done", "running", "queued")
    one.seconds, one.cpu_s, one.peak_memory_bytes = 1.5, 2.0, 300
    two.seconds, two.cpu_s, two.peak_memory_bytes = 0.5, 0.25, 500
    two.progress, two.attempts, two.error = 0.5, 1, "odd"
    one.log.add("first")
    two.log.add("second")
    (view,) = job(tmp_path, one, two, three).view().steps
    assert (view.seconds, view.cost.cpu_s, view.cost.peak_memory_bytes) == pytest.approx((2.0, 2.25, 500))
    assert (view.progress, view.attempts, view.error, view.log_tail) == (0.5, 1, "odd", ["second"])
    assert view.retry_in_s is None
    two.state, two.not_before_s = "queued", time.time() + 30
    (view,) = job(tmp_path, one, two, three).view().steps
    assert 20 < (view.retry_in_s or 0) <= 30


def test_a_job_that_runs_ahead_has_no_end_and_tells_of_no_failure(tmp_path: Path) -> None:
    first, sound, picture = step("prepare"), step("sound"), step("picture")
    ahead = job(tmp_path, first, sound, picture)
    ahead.priority = "ahead"
    finish(first, sound)
    picture.state, picture.error, picture.attempts = "failed", "odd", 3
    ahead.settle()
    assert ahead.state == "running"
    assert [(view.state, view.error, view.attempts) for view in ahead.view().steps][2] == ("queued", None, 0)
    again = step("prepare")
    ahead.finish(again, ProcessRequest(layout="speaker"))
    ahead.priority = "fresh"
    assert ahead.steps == [again, sound, picture]
    assert (sound.state, picture.state, picture.attempts) == ("done", "queued", 0)
    assert ahead.request.layout == "speaker"
    assert not ahead.has(first)
    assert ahead.has(again)


def test_what_is_shown_of_many_parts_stays_small(tmp_path: Path) -> None:
    many = []
    for number in range(700):
        (one,) = parts("done")
        one.spec = one.spec.model_copy(update={"name": f"layout:{number}"})
        one.log = Log([f"line {line} of what a step may say" for line in range(40)])
        many.append(one)
    whole = job(tmp_path, step("prepare"), *many)
    assert len(whole.view().model_dump_json()) < 5000
